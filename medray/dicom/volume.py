"""Volumes on demand: a row of `volumes` and its rows of `images` -> one float32 array."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from medray.contracts import Array
from medray.dicom.pixels import frame_arrays, missing, modality_values
from medray.errors import StorageError
from medray.ops.regrid import moved, shares

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Volume:
    """An assembled volume.

    Attributes:
        values: (Z, Y, X) float32 in the modality's unit (Hounsfield units, counts, ...): [slice, row, column].
        affine: (4, 4): (i, j, k, 1) of a voxel [k, j, i] -> LPS mm.
        spacing_mm: between slices, rows and columns.
    """

    values: Array
    affine: Array
    spacing_mm: tuple[float, float, float]


def assemble(row: Row, images: Iterable[Row], fill: float = np.nan) -> Volume:
    """The volume that a row of `volumes` describes.

    Slices are put onto the regular grid of the row: as they are, linearly interpolated along the normal
    where `resample` names slices, and along rows and columns where it names shear. Memory is the
    array's and one frame's.

    Args:
        row: with status "volume".
        images: the rows of `images` that hold its slices, all columns but `header`; in any order, but
            the parts of one instance in theirs. Others are passed over.
        fill: of padding (PixelPaddingValue) and of what no slice covers.

    Raises:
        Unusable: a frame cannot be decoded. StorageError: a slice is not among the images.
    """
    grid = _Grid(row)
    values = np.zeros(row["shape"], np.float32)
    left = {(one["SOPInstanceUID"], one["input_version"], one["frame_index"]): k for k, one in enumerate(row["slices"])}
    before: Counter[tuple[str, int]] = Counter()
    for image in images:
        instance = (image["SOPInstanceUID"], image["input_version"])
        for index in range(len(image["frame_offsets"]) - 1):
            number = left.pop((*instance, before[instance] + index), None)
            if number is not None:
                canvas = grid.canvas(quantities(image, index), number)
                for place, share in grid.places(number):
                    values[place] += share * canvas
        before[instance] += len(image["frame_offsets"]) - 1
    if left:
        raise StorageError(
            f"volume {row['SeriesInstanceUID']} {row['volume_index']}",
            f"{len(left):,} of {len(row['slices']):,} slices not in table images",
            "the data files that the row names, as they were",
            "restore them: data files of a lake are never changed",
        )
    if not np.isnan(fill):
        values[np.isnan(values)] = fill
    return Volume(values, np.array(row["affine"]).reshape(4, 4), tuple(row["spacing_mm"]))


def quantities(image: Row, index: int) -> Array:
    """One frame of a row of `images` in the modality's unit, float32 (H, W); NaN where it is padding.

    Raises:
        Unusable: decode_failed, decoder_died.
    """
    start, end = image["frame_offsets"][index : index + 2]
    (frame,) = frame_arrays({**image, "frame_offsets": [start, end]})
    values, absent = modality_values(frame, image, index), missing(frame, image)
    if absent is not None:
        values[absent] = np.nan
    return values


class _Grid:
    """Where the slices of a row go."""

    def __init__(self, row: Row) -> None:
        self._size = (row["shape"][1], row["shape"][2])
        self._spacing = tuple(row["spacing_mm"])
        self._shear = tuple(row["shear"]) if "shear" in row["resample"] else (0.0, 0.0)
        self._along = np.array([one["position_mm"] for one in row["slices"]])
        self._along -= self._along[0]
        between = "slices" in row["resample"]
        self._points = np.arange(row["shape"][0]) * self._spacing[0] if between else self._along

    def places(self, number: int) -> Iterator[tuple[int, np.float32]]:
        """The slices of the array in which a slice has a share."""
        indices, weights = shares(self._along, number, self._points)
        yield from zip(indices.tolist(), weights, strict=True)

    def canvas(self, image: Array, number: int) -> Array:
        """The slice where it stands on the array's canvas."""
        if self._shear == (0.0, 0.0):
            return image
        right, down = (
            (slope * self._along[number] - min(slope * self._along[-1], 0.0)) / pixel
            for slope, pixel in zip(self._shear, (self._spacing[2], self._spacing[1]), strict=True)
        )
        return moved(image, self._size, (down, right))
