"""DICOM slices -> rows of `images` -> a row of `volumes` -> one array, whose values are known everywhere."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from ct_series import AXIAL, ct, enhanced, field, policy, written
from pydicom.dataset import Dataset

from medray.contracts import Array
from medray.dicom.volume import Volume, assemble
from medray.errors import StorageError
from medray.planning.volumes.decide import rows_of

Rows = list[dict[str, Any]]
OBLIQUE = (1.0, 0.0, 0.0, 0.0, 0.8, 0.6)
NORMAL = np.array([0.0, -0.6, 0.8])


@pytest.fixture
def rows(ingest: Callable[..., Any]) -> Callable[..., Rows]:
    """Data sets -> rows of `images`."""

    def run(*data: Dataset, **config: Any) -> Rows:
        outcomes = ingest(*(written(one) for one in data), **config)
        assert outcomes.bad == []
        found: Rows = outcomes.rows
        return found

    return run


def volume(images: Rows, **changes: Any) -> tuple[dict[str, Any], Volume]:
    (row,) = rows_of(images, policy(**changes))
    assert row["status"] == "volume", row["reason"]
    return {"SeriesInstanceUID": "1.2.3", **row}, assemble({"SeriesInstanceUID": "1.2.3", **row}, images)


def expected(found: Volume) -> Array:
    """The field at every voxel, by the volume's own affine."""
    index = np.moveaxis(np.indices(found.values.shape), 0, -1)[..., ::-1]  # i, j, k
    return field(index @ found.affine[:3, :3].T + found.affine[:3, 3])


@pytest.mark.parametrize(
    ("positions", "orientation", "resample", "known"),
    [
        ([(5, 6, 3.0 * k) for k in range(4)], AXIAL, "none", 1.0),
        ([tuple(np.array([5, 6, 7]) + 3.0 * k * NORMAL) for k in range(4)], OBLIQUE, "none", 1.0),
        ([(0, 0, z) for z in (0, 3, 6, 15, 18)], AXIAL, "slices", 1.0),
        ([(0, 0, z) for z in (0, 3, 6, 10.2, 13.2)], AXIAL, "slices", 1.0),
        ([(0, 1.5 * k, 3.0 * k) for k in range(4)], AXIAL, "shear", 0.6),
        ([(0.7 * k, -1.1 * k, 3.0 * k) for k in range(4)], AXIAL, "shear", 0.5),
        ([(-0.7 * k, 1.1 * k, 3.0 * k) for k in range(4)], AXIAL, "shear", 0.5),
        ([(0, 0.5 * z, z) for z in (0.0, 3.0, 6.0, 12.0, 15.0)], AXIAL, "slices+shear", 0.4),
    ],
    ids=["axial", "oblique", "missing", "uneven", "tilt", "tilt both ways", "and back", "tilt and gap"],
)
def test_every_voxel_holds_what_stands_at_its_place(
    rows: Callable[..., Rows], positions: Any, orientation: Any, resample: str, known: float
) -> None:
    images = rows(*(ct(k, place, orientation=orientation) for k, place in enumerate(positions, 1)))
    row, found = volume(images)
    assert row["resample"] == resample
    assert found.values.shape == tuple(row["shape"])
    assert found.values.dtype == np.float32
    inside = np.isfinite(found.values)
    assert inside.mean() >= known
    np.testing.assert_allclose(found.values[inside], expected(found)[inside], atol=0.02)


def test_the_order_of_rows_and_numbers_changes_no_value(rows: Callable[..., Rows]) -> None:
    up = rows(*(ct(k, (0, 0, 3.0 * k)) for k in range(1, 6) if k != 4))
    down = rows(*(ct(9 - k, (0, 0, 3.0 * k)) for k in range(1, 6) if k != 4))
    _, first = volume(up)
    _, second = volume(down[::-1])
    np.testing.assert_array_equal(first.values, second.values)


def test_padding_is_missing_or_what_is_asked(rows: Callable[..., Rows]) -> None:
    slices = [ct(k, (0, 0, 3.0 * k)) for k in range(3)]
    stored = np.frombuffer(slices[1].PixelData, "<u2").copy()
    stored[0] = 7
    slices[1].PixelData = stored.tobytes()
    for one in slices:
        one.PixelPaddingValue = 7
    images = rows(*slices)
    row, found = volume(images)
    assert np.argwhere(np.isnan(found.values)).tolist() == [[1, 0, 0]]
    assert assemble(row, images, fill=-1024).values[1, 0, 0] == -1024


def test_frames_of_an_enhanced_object_have_their_own_slope(rows: Callable[..., Rows]) -> None:
    stored = np.arange(4 * 4 * 3).reshape(4, 4, 3)
    images = rows(
        enhanced([(0, 0, 5.0 * k) for k in (3, 2, 1, 0)], [1, 2, 3, 4], stored), part_bytes=40, pixel_bytes=10**6
    )
    assert len(images) > 1  # the frames came in several rows
    _, found = volume(images)
    np.testing.assert_array_equal(found.values, stored[::-1] * np.array([4, 3, 2, 1]).reshape(4, 1, 1))
    assert found.spacing_mm == (5, 2, 1)


def test_a_slice_that_is_gone_is_told(rows: Callable[..., Rows]) -> None:
    images = rows(*(ct(k, (0, 0, 3.0 * k)) for k in range(4)))
    row, _ = volume(images)
    with pytest.raises(StorageError, match="1 of 4 slices"):
        assemble(row, images[:-1])


@pytest.fixture(scope="module")
def lung() -> dict[str, bytes]:
    """The 99 slices of a real chest CT, by name."""
    found = sorted(Path(os.environ.get("MEDRAY_TEST_DATA", "no-such-folder")).glob("ct_lung/*.tar.bz2"))
    if not found:
        pytest.skip("MEDRAY_TEST_DATA holds no ct_lung/*.tar.bz2")
    with tarfile.open(found[0]) as archive:
        return {
            item.name: archive.extractfile(item).read()  # type: ignore[union-attr]
            for item in archive
            if item.name.endswith(".dcm")
        }


def test_a_real_chest_is_one_volume_in_hounsfield_units(lung: dict[str, bytes], ingest: Callable[..., Any]) -> None:
    images = ingest(*lung.values()).rows
    row, found = volume(images, min_slices=50)
    assert row["regularly_spaced_3d_volume"]
    assert row["resample"] == "none"
    assert found.values.shape == (99, 512, 512)
    assert found.spacing_mm == (3.0, 0.564453125, 0.564453125)
    assert (found.values.min(), found.values.max()) == (-1024, 3071)
    top = max((pydicom.dcmread(BytesIO(data)) for data in lung.values()), key=lambda one: one.ImagePositionPatient[2])
    np.testing.assert_array_equal(found.values[-1], top.pixel_array - 1024.0)
    np.testing.assert_allclose(found.affine @ [0, 0, 98, 1], [*top.ImagePositionPatient, 1])


def test_defects_made_from_real_slices_are_recognised(lung: dict[str, bytes], rows: Callable[..., Rows]) -> None:
    def altered(**changes: Callable[[int, Dataset], Any]) -> list[tuple[str, str | None, int]]:
        made = []
        for k, data in enumerate(list(lung.values())[:12]):
            one = pydicom.dcmread(BytesIO(data))
            one.PixelData = one.pixel_array[::16, ::16].tobytes()
            one.Rows, one.Columns = 32, 32
            one.PixelSpacing = [9.03125, 9.03125]
            one.InstanceNumber = k + 1
            one.ImagePositionPatient = [-143.2177734375, -287.2177734375, -288 + 3.0 * k]
            for keyword, value in changes.items():
                setattr(one, keyword, value(k, one))
            made.append(one)
        strict = {"several_acquisitions": "reject", "duplicate_positions": "reject", "missing_slices": "reject"}
        strict |= {"uneven_spacing": "reject", "gantry_tilt": "reject"}
        found = rows_of(rows(*made), policy(**strict))
        return [(row["status"], row["reason"], row["slice_count"]) for row in found]

    def placed(x: Callable[[int], float], y: Callable[[int], float], z: Callable[[int], float]) -> Any:
        return lambda k, one: [x(k), y(k), z(k)]

    def still(k: int) -> float:
        return -100.0

    assert altered() == [("volume", None, 12)]
    assert altered(ImagePositionPatient=placed(still, lambda k: 0.7 * k, lambda k: 3.0 * k)) == [
        ("rejected", "gantry_tilt", 12)
    ]
    assert altered(ImagePositionPatient=placed(still, still, lambda k: 3.0 * min(k, 10))) == [
        ("rejected", "duplicate_positions", 12)
    ]
    assert altered(ImagePositionPatient=placed(still, still, lambda k: 3.0 * k + 6.0 * (k > 5))) == [
        ("rejected", "missing_slices", 12)
    ]
    assert altered(ImagePositionPatient=placed(still, still, lambda k: 3.0 * k + 1.2 * (k > 5))) == [
        ("rejected", "uneven_spacing", 12)
    ]
    twice = altered(
        ImagePositionPatient=placed(still, still, lambda k: 3.0 * (k % 6)), AcquisitionNumber=lambda k, one: 1 + k // 6
    )
    assert twice == [("rejected", "several_acquisitions", 12)]
