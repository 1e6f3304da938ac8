"""The middle slices of a volume stand as on a film, whatever way it was acquired."""

from __future__ import annotations

import numpy as np
import pytest

from medray.contracts import Array
from medray.ops.middle_slices import middle_slices

L, P, H = np.eye(3)  # directions of the patient: left, posterior, head
SIZE = 40.0  # mm of the cube


def acquired(i: Array, j: Array, k: Array, spacing: tuple[float, float, float]) -> tuple[Array, Array]:
    """A cube whose value at a point grows to the left, to posterior and to the head by 1, 10 and 100, sampled along
    the directions of growing i, j and k."""
    shape = [round(SIZE / mm) for mm in spacing]  # i, j, k
    affine = np.eye(4)
    affine[:3, :3] = np.stack([i, j, k], axis=1) * spacing
    corner = affine[:3, :3] @ (np.array(shape) - 1)
    affine[:3, 3] = -np.minimum(corner, 0)
    index = np.moveaxis(np.indices(shape), 0, -1)
    points = index @ affine[:3, :3].T + affine[:3, 3]
    return (points @ np.array([1.0, 10.0, 100.0])).T, affine


@pytest.mark.parametrize(
    ("i", "j", "k", "spacing"),
    [
        (L, P, H, (1.0, 1.0, 4.0)),
        (L, P, -H, (1.0, 1.0, 4.0)),
        (P, -H, -L, (1.0, 2.0, 4.0)),
        (L, -H, P, (2.0, 1.0, 4.0)),
        (-L, -P, H, (1.0, 1.0, 1.0)),
    ],
    ids=["axial", "downwards", "sagittal", "coronal", "prone"],
)
def test_head_up_and_the_patients_right_at_the_left(i: Array, j: Array, k: Array, spacing: tuple[float, ...]) -> None:
    values, affine = acquired(i, j, k, spacing)  # type: ignore[arg-type]
    axial, coronal, sagittal = (plane.astype(int) for plane in middle_slices(values, affine, (2220.0, 4440.0), 64))
    for plane in (axial, coronal, sagittal):
        assert plane.shape == (64, 64)  # a cube, whatever its spacing
    assert axial[-1, 32] > axial[0, 32]  # posterior below
    assert axial[32, -1] > axial[32, 0]  # left at the right
    assert coronal[0, 32] > coronal[-1, 32] + 150  # head above
    assert coronal[32, -1] >= coronal[32, 0]
    assert sagittal[0, 32] > sagittal[-1, 32] + 150
    assert sagittal[32, -1] > sagittal[32, 0]  # anterior at the left


def test_aspect_follows_the_spacing_and_nothing_known_is_black() -> None:
    affine = np.diag([1.0, 1.0, 5.0, 1.0])
    values = np.full((10, 20, 40), np.nan, np.float32)
    axial, coronal, sagittal = middle_slices(values, affine, side=100)
    assert [plane.shape for plane in (axial, coronal, sagittal)] == [(50, 100), (100, 80), (100, 40)]
    assert axial.dtype == np.uint8
    assert not axial.any()


def test_without_a_window_the_percentiles_decide() -> None:
    values = np.tile(np.linspace(-1000, 1000, 64, dtype=np.float32), (8, 8, 1))
    axial, _, _ = middle_slices(values, np.eye(4), side=64)
    assert (axial.min(), axial.max()) == (0, 255)
