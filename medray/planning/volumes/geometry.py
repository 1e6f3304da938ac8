"""How a stack of slices lies in space: measured, not yet judged.

Checks and tolerances are those of the Imaging Data Commons (`volume_geometry_index` of its
idc-index-data), which follows 3D Slicer and highdicom.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import atan, degrees

import numpy as np

from medray.contracts import Array
from medray.planning.volumes.slices import Slices

ORTHOGONAL = 0.01  # length of the cross product of the directions, from 1 (IDC)
IN_PLANE_MM = 0.1  # of origins against each other (IDC)
SPACING_SHARE = 0.01  # of a distance between slices from the expected one (IDC; highdicom's default)

# Positions as decimal strings are rounded; IDC compares them as they are.
SAME_PLACE_MM = 1e-3


@dataclass(frozen=True)
class Line:
    """N slices of one direction, by their position along the normal (N is 1 or more).

    Attributes:
        slices: in ascending order of `z`.
        axes: (3, 3) unit vectors: along a row, along a column, normal.
        u, v, z: (N,) mm, the slices' origins along these axes.
    """

    slices: Slices
    axes: Array
    u: Array
    v: Array
    z: Array

    @property
    def span(self) -> float:
        """From the first slice to the last, mm."""
        return float(self.z[-1] - self.z[0])

    @cached_property
    def distances(self) -> Array:
        """(N - 1,) mm between slices."""
        distances: Array = np.diff(self.z)
        return distances

    @cached_property
    def steps(self) -> Array:
        """(N - 1,) how many of the median distance each distance is, as a whole number of 1 or more."""
        steps: Array = np.maximum(np.rint(self.distances / np.median(self.distances)), 1).astype(np.int64)
        return steps

    @property
    def deviation_mm(self) -> float:
        """The greatest difference of a distance from the mean distance."""
        return float(np.abs(self.distances - self.distances.mean()).max(initial=0)) if len(self.z) > 1 else 0.0

    @property
    def is_uniform(self) -> bool:
        return len(self.z) > 1 and bool(self.deviation_mm < SPACING_SHARE * self.distances.mean())

    @property
    def is_even(self) -> bool:
        """Every distance is a whole number of the median distance: slices may be missing, but those that
        are there stand on a regular grid."""
        if self.is_uniform:
            return True
        median = np.median(self.distances)
        return bool((np.abs(self.distances - self.steps * median) < SPACING_SHARE * self.steps * median).all())

    @property
    def missing(self) -> int:
        """Slices that would fill the gaps."""
        return 0 if self.is_uniform else int((self.steps - 1).sum())

    @cached_property
    def shear(self) -> tuple[float, float]:
        """How far the origins move along a row and along a column, mm a mm of the normal (least squares);
        (0, 0) where they do not move."""
        if self.span == 0 or not self._moves:
            return (0.0, 0.0)
        z = self.z - self.z.mean()
        return (float(z @ self.u / (z @ z)), float(z @ self.v / (z @ z)))

    @property
    def tilt_degrees(self) -> float:
        return degrees(atan(float(np.hypot(*self.shear))))

    @property
    def is_straight(self) -> bool:
        """The origins stand on one line, upright or tilted."""
        if not self._moves:
            return True
        z = self.z - self.z.mean()
        left = [along - along.mean() - slope * z for along, slope in zip((self.u, self.v), self.shear, strict=True)]
        return all(np.abs(one).max() < IN_PLANE_MM for one in left)

    @property
    def _moves(self) -> bool:
        return bool(max(np.ptp(self.u), np.ptp(self.v)) >= IN_PLANE_MM)


def line_of(stack: Slices) -> Line:
    """The line on which the slices of a stack stand. Ties keep the order of acquisition."""
    axes = _axes(stack.orientation[0])
    u, v, z = axes @ stack.position.T
    order = np.argsort(z, kind="stable")
    return Line(stack.take(order), axes, u[order], v[order], z[order])


def at_places(stack: Slices) -> Array:
    """(N,) the number of each slice's place along the normal: slices less than `SAME_PLACE_MM` from their
    neighbour share one."""
    z = _axes(stack.orientation[0])[2] @ stack.position.T
    order = np.argsort(z, kind="stable")
    places = np.zeros(len(z), np.int64)
    places[order] = np.cumsum(np.diff(z[order], prepend=z[order][:1]) >= SAME_PLACE_MM)
    return places


def cross_lengths(orientation: Array) -> Array:
    """(N,) lengths of the cross products of row and column directions (N, 6)."""
    lengths: Array = np.linalg.norm(np.cross(orientation[:, :3], orientation[:, 3:]), axis=1)
    return lengths


def flags(slices: Slices) -> dict[str, bool | None]:
    """IDC's checks on slices as they were received. None where a slice has no place in space."""
    found: dict[str, bool | None] = {"consistent_image_dimensions": bool((slices.size == slices.size[0]).all())}
    if not np.isfinite(np.concatenate([slices.position, slices.orientation, slices.spacing], axis=1)).all():
        return found
    lengths = cross_lengths(slices.orientation)
    normals = np.cross(slices.orientation[:, :3], slices.orientation[:, 3:])
    u, v, z = (
        (slices.position * along).sum(1) for along in (slices.orientation[:, :3], slices.orientation[:, 3:], normals)
    )
    distances = np.diff(np.sort(z))
    expected = np.ptp(z) / max(len(z) - 1, 1)
    found |= {
        "consistent_pixel_spacing": bool((slices.spacing == slices.spacing[0]).all()),
        "single_orientation": bool((slices.orientation == slices.orientation[0]).all()),
        "orthogonal_orientation": bool((np.abs(lengths - 1) <= ORTHOGONAL).all()),
        "unique_slice_positions": bool((distances >= SAME_PLACE_MM).all()),
        "consistent_in_plane_row": bool(np.ptp(u) < IN_PLANE_MM),
        "consistent_in_plane_col": bool(np.ptp(v) < IN_PLANE_MM),
        "uniform_slice_spacing": len(z) > 1 and bool(np.abs(distances - expected).max() < SPACING_SHARE * expected),
    }
    return {**found, "regularly_spaced_3d_volume": all(found.values())}


def obliquity_degrees(normal: Array) -> float:
    """The angle between a unit normal and the nearest axis of the patient (IDC)."""
    return float(np.degrees(np.arccos(np.clip(np.abs(normal).max(), 0, 1))))


def _axes(orientation: Array) -> Array:
    """Row direction, column direction and normal at exact right angles."""
    row = orientation[:3] / np.linalg.norm(orientation[:3])
    normal = np.cross(row, orientation[3:])
    normal /= np.linalg.norm(normal)
    return np.stack([row, np.cross(normal, row), normal])
