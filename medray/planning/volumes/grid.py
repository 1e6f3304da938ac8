"""The regular grid onto which a line of slices is assembled."""

from __future__ import annotations

from math import ceil
from typing import Any

import numpy as np

from medray.planning.volumes.geometry import Line, obliquity_degrees

_ROUNDING = 1e-6  # of a pixel: a canvas does not grow for it


def grid_of(line: Line) -> dict[str, Any]:
    """Columns of `volumes` that say where the assembled array lies. LPS; see `schema.volumes`.

    A uniform line keeps its slices, any other gets as many as its span holds of the median distance.
    A tilted one gets a canvas that holds every slice where it stands.
    """
    count = len(line.z) if line.is_uniform else round(line.span / float(np.median(line.distances))) + 1
    row_mm, column_mm = line.slices.spacing[0].tolist()
    spacing = (line.span / (count - 1), row_mm, column_mm)
    along_row, along_column = (slope * line.span for slope in line.shear)
    rows, columns = line.slices.size[0].tolist()
    rows += ceil(abs(along_column) / row_mm - _ROUNDING)
    columns += ceil(abs(along_row) / column_mm - _ROUNDING)
    start = np.array([_start(line, 0) + min(along_row, 0.0), _start(line, 1) + min(along_column, 0.0), line.z[0]])
    direction, origin = line.axes.T, line.axes.T @ start
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = direction * spacing[::-1], origin
    return {
        "shape": [count, rows, columns],
        "spacing_mm": list(spacing),
        "direction": direction.reshape(-1).tolist(),
        "origin_mm": origin.tolist(),
        "affine": affine.reshape(-1).tolist(),
        "obliquity_degrees": obliquity_degrees(line.axes[2]),
        "tilt_degrees": line.tilt_degrees,
        "shear": list(line.shear),
        "spacing_deviation_mm": line.deviation_mm,
        "missing_slices": line.missing,
    }


def _start(line: Line, axis: int) -> float:
    """Where the first slice's origin stands along a row (0) or a column (1): as it says itself, or, of a
    tilted line, where the line has it."""
    along = (line.u, line.v)[axis]
    if line.shear == (0.0, 0.0):
        return float(along[0])
    return float(along.mean() + line.shear[axis] * (line.z[0] - line.z.mean()))
