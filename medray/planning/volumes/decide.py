"""One series -> its rows of `volumes`: what becomes a volume, what is rejected and why."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from math import prod
from typing import Any

import numpy as np

from medray.planning.volumes.geometry import Line, at_places, flags, line_of
from medray.planning.volumes.grid import grid_of
from medray.planning.volumes.slices import Row, Slices, newest_parts, slices_of
from medray.planning.volumes.stacks import Rest, acquisitions_of, parted, stacks_of
from medray.recipes.ingest import Volumes

# No scanner's gantry tilts by more than 30 degrees; a steeper line of origins is none of slices.
STEEPEST_DEGREES = 45.0

OF_SERIES = ("subject_id", "StudyInstanceUID", "SeriesInstanceUID", "Modality")

# An array holds at most so many times the pixels of its slices, however far apart a header puts them.
GROWTH = 4


def policy_hash(policy: Volumes) -> str:
    """Of what decides about one series."""
    said = policy.model_dump(mode="json", exclude={"modalities", "settle_nights"})
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]


def rows_of(series: Sequence[Row], policy: Volumes, *, has_subjects: bool = True) -> list[dict[str, Any]]:
    """What each part of a series becomes: rows of `volumes` without their version and origin. Every
    slice stands in exactly one row, or is counted in `duplicate_slices` of one.

    Args:
        series: `slices.COLUMNS` of all its rows of `images`; their order changes nothing. Of an
            instance with several versions the newest counts.
        has_subjects: the archive names patients; one that does not has a subject an instance.
    """
    parts = newest_parts(series)
    slices = slices_of(parts)
    owners = ("StudyInstanceUID", "subject_id") if has_subjects else ("StudyInstanceUID",)
    if any(len({row[name] for row, _ in parts}) > 1 for name in owners):
        found = [_rejected("mixed_subject", slices, None)]
    else:
        found = _found(slices, policy)
    shared = {name: parts[0][0][name] for name in OF_SERIES}
    return [{**shared, "volume_index": index, **row} for index, row in enumerate(found)]


def _found(slices: Slices, policy: Volumes) -> list[dict[str, Any]]:
    """What the slices of one patient become: first the stacks, then what is left over of each reason."""
    stacks, rest = stacks_of(slices, policy.min_slices)
    found: list[dict[str, Any]] = []
    for stack in stacks:
        for part in _parts(stack, policy):
            if isinstance(part, Rest):
                rest.append(part)
            else:
                found.append(_judged(part, policy))
    return found + [_rejected(together.reason, together.slices, None) for together in _by_reason(rest)]


def _parts(stack: Slices, policy: Volumes) -> Iterator[Slices | Rest]:
    """Acquisitions of a stack, and pieces of them where gaps part them."""
    acquisitions = acquisitions_of(stack, policy.min_slices)
    if len(acquisitions) > 1 and policy.several_acquisitions == "reject":
        yield Rest("several_acquisitions", stack)
        return
    large = [one for one in acquisitions if len(one) >= policy.min_slices]
    kept = large[:1] if policy.several_acquisitions == "first" else large
    for one in acquisitions:
        if not any(one is another for another in kept):
            yield Rest("several_acquisitions", one)
        elif policy.missing_slices == "split":
            yield from _cut(one, policy.min_slices)
        else:
            yield one


def _cut(stack: Slices, least: int) -> Iterator[Slices | Rest]:
    """The pieces between gaps."""
    line = line_of(_one_a_place(stack)[0])
    if len(line.z) < 2 or not line.missing:
        yield stack
        return
    gaps = ((line.z[1:] + line.z[:-1]) / 2)[line.steps > 1]
    piece = np.searchsorted(gaps, line.axes[2] @ stack.position.T)
    for chosen in parted(piece):
        one = stack.take(chosen)
        yield one if len(one) >= least else Rest("missing_slices", one)


def _judged(stack: Slices, policy: Volumes) -> dict[str, Any]:
    kept, double = _one_a_place(stack)
    if len(kept) < policy.min_slices:
        return _rejected("duplicate_positions", stack, None)
    line = line_of(kept)
    grid = grid_of(line)
    reason = _defect(line, grid, double, policy)
    if reason is not None:
        return _rejected(reason, stack, line)
    slices = "slices" if not line.is_uniform else ""
    shear = "shear" if line.shear != (0.0, 0.0) else ""
    return {
        "status": "volume",
        "reason": None,
        "resample": "+".join(filter(None, (slices, shear))) or "none",
        **_listed(line.slices, line.z.tolist()),
        **grid,
        **flags(stack),
        "duplicate_slices": double,
    }


def _defect(line: Line, grid: Mapping[str, Any], double: int, policy: Volumes) -> str | None:
    """The first defect that the policies do not admit."""
    tilted = line.shear != (0.0, 0.0)
    outgrown = prod(grid["shape"]) > GROWTH * len(line.z) * int(line.slices.size[0].prod())
    steep = outgrown or line.tilt_degrees > STEEPEST_DEGREES
    found = (
        ("duplicate_positions", double > 0 and policy.duplicate_positions == "reject"),
        ("missing_slices", line.missing > 0 and (outgrown or policy.missing_slices != "resample")),
        ("uneven_spacing", not line.is_even and (outgrown or policy.uneven_spacing == "reject")),
        ("shifted_slices", not line.is_straight),
        ("gantry_tilt", tilted and (steep or policy.gantry_tilt == "reject")),
    )
    return next((reason for reason, holds in found if holds), None)


def _one_a_place(stack: Slices) -> tuple[Slices, int]:
    """The first slice of each position, by InstanceNumber, and how many others there are."""
    first = np.unique(at_places(stack), return_index=True)[1]
    return stack.take(np.sort(first)), len(stack) - len(first)


def _rejected(reason: str, slices: Slices, line: Line | None) -> dict[str, Any]:
    """A row that says what was found; with the line of the slices, also where they stand."""
    measured: dict[str, Any] = {}
    positions: list[float | None] = [None] * len(slices)
    if line is not None:
        grid = grid_of(line)
        told = ("obliquity_degrees", "tilt_degrees", "spacing_deviation_mm", "missing_slices")
        measured = {name: grid[name] for name in told}
        z = line.axes[2] @ slices.position.T
        slices, positions = slices.take(np.argsort(z, kind="stable")), np.sort(z).tolist()
    return {
        "status": "rejected",
        "reason": reason,
        **_listed(slices, positions),
        **measured,
        **flags(slices),
        "duplicate_slices": 0,
    }


def _listed(slices: Slices, positions: Sequence[float | None]) -> dict[str, Any]:
    sizes, references = np.unique(slices.size, axis=0), set(slices.reference)
    rows, columns = sizes[0].tolist() if len(sizes) == 1 else (None, None)
    named = zip(slices.uid, slices.version.tolist(), slices.frame.tolist(), positions, strict=True)
    keys = ("SOPInstanceUID", "input_version", "frame_index", "position_mm")
    return {
        "slices": [dict(zip(keys, one, strict=True)) for one in named],
        "slice_count": len(slices),
        "Rows": rows,
        "Columns": columns,
        "FrameOfReferenceUID": (references.pop() or None) if len(references) == 1 else None,
    }


def _by_reason(rest: list[Rest]) -> Iterator[Rest]:
    """One of each reason, in the order in which they came."""
    for reason in dict.fromkeys(one.reason for one in rest):
        yield Rest(reason, _joined([one.slices for one in rest if one.reason == reason]))


def _joined(parts: list[Slices]) -> Slices:
    names = [field.name for field in fields(Slices)]
    return Slices(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})
