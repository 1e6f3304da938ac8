"""A series falls into stacks: slices of one size, direction and frame of reference."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from medray.contracts import Array
from medray.planning.volumes.geometry import ORTHOGONAL, at_places, cross_lengths
from medray.planning.volumes.slices import MARKS, Slices

# Directions (cosines) and pixel spacings (mm) that differ by less are one: over a field of view of 500
# mm, or 500 pixels, they move a pixel by 0.05 mm, half of what the Imaging Data Commons allows.
ALIKE = 1e-4

# Lengths and the scalar product of the two directions of an orientation: beyond, no rectangular grid fits.
SQUARE = 1e-3

# Numbers that no scanner writes: a slice farther than 100 m from the origin, pixels below 0.1 um or above 1 m.
FARTHEST_MM = 1e5
PIXEL_MM = (1e-4, 1e3)


@dataclass(frozen=True)
class Rest:
    """Slices that are in no stack, and why."""

    reason: str
    slices: Slices


def stacks_of(slices: Slices, least: int) -> tuple[list[Slices], list[Rest]]:
    """The stacks of `least` slices or more, by their first slice, and what is left over."""
    placed = _has_place(slices)
    usable = slices.take(slices.flat & placed)
    left = [("not_a_volume", slices.take(~slices.flat)), ("no_geometry", slices.take(slices.flat & ~placed))]
    groups = list(_groups(usable))
    stacks = [usable.take(chosen) for chosen in groups if len(chosen) >= least]
    small = [chosen for chosen in groups if len(chosen) < least]
    if small:
        few = usable.take(np.sort(np.concatenate(small)))
        left.append((_why_small(few), few))
    return stacks, [Rest(reason, some) for reason, some in left if len(some)]


def _has_place(slices: Slices) -> Array:
    """Where a slice has a position, two directions at right angles and a pixel size."""
    rows, columns = slices.orientation[:, :3], slices.orientation[:, 3:]
    numbers = np.concatenate([slices.position, slices.orientation, slices.spacing], axis=1)
    with np.errstate(invalid="ignore", over="ignore"):
        lengths = np.stack([np.linalg.norm(rows, axis=1), np.linalg.norm(columns, axis=1)], axis=1)
        square = (np.abs(lengths - 1) < SQUARE).all(1) & (np.abs((rows * columns).sum(1)) < SQUARE)
        square &= np.abs(cross_lengths(slices.orientation) - 1) < ORTHOGONAL
        near = (np.abs(slices.position) < FARTHEST_MM).all(1)
        sized = ((slices.spacing > PIXEL_MM[0]) & (slices.spacing < PIXEL_MM[1])).all(1)
        placed: Array = np.isfinite(numbers).all(1) & square & near & sized
    return placed


def _groups(slices: Slices) -> Iterator[Array]:
    """Indices of the slices that share size, frame of reference, spacing and direction, by their first."""
    form = alike(np.concatenate([slices.orientation, slices.spacing], axis=1))
    references = np.unique(slices.reference, return_inverse=True)[1] if len(slices) else np.zeros(0, np.int64)
    keys = np.column_stack([form, references, slices.size])
    labels = np.unique(keys, axis=0, return_inverse=True)[1].reshape(-1) if len(slices) else form
    yield from sorted(parted(labels), key=lambda chosen: int(chosen[0]))


def alike(rows: Array) -> Array:
    """(N, W) -> (N,) labels: rows that differ by `ALIKE` at most from the first of their group, in
    lexical order, have one; the order of the rows changes nothing."""
    distinct, index = np.unique(rows, axis=0, return_inverse=True)
    labels, leaders, first, count = np.zeros(len(distinct), np.int64), np.empty_like(distinct), 0, 0
    for number, row in enumerate(distinct):
        while first < count and leaders[first, 0] < row[0] - ALIKE:  # too far behind, for all that follow
            first += 1
        near = np.flatnonzero((np.abs(leaders[first:count] - row) <= ALIKE).all(1))
        if len(near):
            labels[number] = first + near[0]
        else:
            leaders[count], labels[number], count = row, count, count + 1
    found: Array = labels[index.reshape(-1)]
    return found


def _why_small(slices: Slices) -> str:
    if len(np.unique(alike(slices.orientation))) > 1:
        return "mixed_orientation"
    return "mixed_size" if len(np.unique(slices.size, axis=0)) > 1 else "not_a_volume"


def acquisitions_of(stack: Slices, least: int) -> list[Slices]:
    """The acquisitions that a stack is made of, lowest marks first; the stack itself where it is one.

    A mark that merely differs tells nothing (a scanner may number every slice): slices are parted
    only where they stand at one position, by those marks with which most of them find a place in a
    group of `least` positions or more, in the fewest groups.
    """
    places = at_places(stack)
    if len(np.unique(places)) == len(places):
        return [stack]
    varying = [mark for mark in range(len(MARKS)) if len(np.unique(stack.marks[:, mark])) > 1]
    choices = [chosen for count in range(len(varying) + 1) for chosen in combinations(varying, count)]
    labels = [_labels(stack, chosen) for chosen in choices]
    best = max(labels, key=lambda some: (_places_found(some, places, least), -len(np.unique(some))))
    return [stack.take(chosen) for chosen in parted(best)]


def _labels(stack: Slices, marks: tuple[int, ...]) -> Array:
    """(N,) groups of equal marks, numbered in the order of the marks."""
    if not marks:
        return np.zeros(len(stack), np.int64)
    labels: Array = np.unique(stack.marks[:, list(marks)], axis=0, return_inverse=True)[1].reshape(-1)
    return labels


def _places_found(labels: Array, places: Array, least: int) -> int:
    """How many positions the groups of `least` positions or more hold."""
    held = np.unique(np.column_stack([labels, places]), axis=0)
    counts = np.unique(held[:, 0], return_counts=True)[1]
    return int(counts[counts >= least].sum())


def parted(labels: Array) -> list[Array]:
    """The indices of each label, ascending, in the order of the labels."""
    order = np.argsort(labels, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(labels[order])) + 1) if len(labels) else []
