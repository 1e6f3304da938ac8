"""Three pictures of a volume, as people look at it."""

from __future__ import annotations

from itertools import permutations

import numpy as np

from medray.contracts import Array
from medray.ops.resize import resize
from medray.ops.window import linear_exact

PERCENTILES = (0.5, 99.5)


def middle_slices(
    values: Array, affine: Array, window: tuple[float, float] | None = None, side: int = 256
) -> tuple[Array, Array, Array]:
    """The middle axial, coronal and sagittal slice, uint8, each `side` high or wide and true in aspect.

    As on a film: the patient's right is at the left of axial and coronal slices, the head is up, and
    the patient looks to the left in the sagittal one. An oblique volume shows its own planes, each
    under the name of the nearest one. Values that are missing (NaN) are black.

    Args:
        values: (Z, Y, X) as `medray.dicom.volume` assembles it.
        affine: (4, 4), (i, j, k, 1) -> LPS mm.
        window: (centre, width) in the values' unit; from percentile 0.5 to 99.5 of the three slices
            where None.
    """
    upright, (deep, high, wide) = _upright(values, affine)
    z, y, x = (length // 2 for length in upright.shape)
    planes = (
        (upright[z], (high, wide)),
        (upright[::-1, y], (deep, wide)),
        (upright[::-1, :, x], (deep, high)),
    )
    centre, width = window or _window([plane for plane, _ in planes])
    axial, coronal, sagittal = (_shown(plane, spacing, side, centre, width) for plane, spacing in planes)
    return axial, coronal, sagittal


def _upright(values: Array, affine: Array) -> tuple[Array, Array]:
    """The array with axes (to the head, to posterior, to the left), and their spacing in mm."""
    columns = affine[:3, :3]
    spacing = np.linalg.norm(columns, axis=0)
    cosines = columns / spacing
    # axes[n] is the array's own axis (i, j, k) that runs nearest along x, y or z
    axes = max(permutations(range(3)), key=lambda order: sum(abs(cosines[n, axis]) for n, axis in enumerate(order)))
    turned = values.T.transpose(axes[::-1])
    for number, axis in enumerate(axes):
        if cosines[number, axis] < 0:
            turned = np.flip(turned, 2 - number)
    return turned, spacing[list(axes[::-1])]


def _window(planes: list[Array]) -> tuple[float, float]:
    known = np.concatenate([plane[np.isfinite(plane)] for plane in planes])
    if not len(known):
        return 0.0, 1.0
    low, high = np.percentile(known, PERCENTILES)
    return float(low + high) / 2, max(float(high - low), 1e-6)


def _shown(plane: Array, spacing: Array | tuple[float, float], side: int, centre: float, width: float) -> Array:
    grey = np.nan_to_num(linear_exact(plane, centre, width), nan=0.0)
    extent = np.array(plane.shape) * np.array(spacing)
    height, breadth = np.maximum(np.rint(extent / extent.max() * side), 1).astype(int).tolist()
    shown: Array = np.rint(np.clip(resize(grey, (height, breadth)), 0, 1) * 255).astype(np.uint8)
    return shown
