"""Is the model as good for everybody? Each group by itself, and against all others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from medray.metrics.bootstrap import Resampling, Statistic, estimates, replicates
from medray.metrics.measures import OVER_CLASSES, Measured
from medray.metrics.records import Estimate, plain

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Floor:
    """The smallest group that is measured.

    Attributes:
        examples: rows.
        each_class: positives, and negatives, of a yes-or-no answer.
    """

    examples: int
    each_class: int


@dataclass(frozen=True)
class Group:
    """One group of an attribute.

    Attributes:
        n, n_subjects, n_positive: its rows with a known truth; no positives where nothing is yes or no.
        reason: why it is not measured; None where it is.
        metrics: by name.
        gap: metric of the group minus that of all other rows whose group is known; empty where
            there are no others. Means over classes have none where the two sides hold other classes.
    """

    name: str
    n: int
    n_subjects: int
    n_positive: int | None
    reason: str | None
    metrics: Mapping[str, Estimate]
    gap: Mapping[str, Estimate]

    def to_json(self) -> dict[str, Any]:
        """The fields by name; what is not defined is None."""
        found: dict[str, Any] = plain(asdict(self))
        return found


def by_group(
    answer: Measured,
    groups: Sequence[str | None],
    order: Sequence[str],
    subjects: Integers,
    floor: Floor,
    resampling: Resampling,
) -> list[Group]:
    """Every group of one attribute, measured together: a resample draws subjects once for all.

    Args:
        groups: (N,) the group of each row, None where not known.
        order: names in the order in which groups are told; those that no row has are told too.
        subjects: (N,) whose row it is.

    Returns:
        One `Group` for each name.
    """
    known = answer.known & np.array([group is not None for group in groups], bool)
    member = {name: known & np.array([group == name for group in groups], bool) for name in order}
    reasons = {name: _too_small(answer, here, floor) for name, here in member.items()}
    kept = [name for name in order if reasons[name] is None]
    statistic = _side_by_side(answer, [member[name] for name in kept], known)
    values = statistic(np.ones(len(known))) if kept else np.zeros(0)
    drawn = replicates(statistic, subjects, resampling) if kept else np.zeros((0, 0))
    found, width = [], len(answer.metrics)
    for name, here in member.items():
        shown: list[Mapping[str, Estimate]] = [{}, {}]
        count = len(np.unique(subjects[here]))
        if reasons[name] is None:
            start = 2 * width * kept.index(name)
            own, rest = (slice(start + part * width, start + (part + 1) * width) for part in (0, 1))
            shown[0] = _named(answer, estimates(values[own], drawn[:, own], count, resampling.level))
            others = known & ~here
            if others.any():
                gaps, fewer = drawn[:, own] - drawn[:, rest], min(count, len(np.unique(subjects[others])))
                apart = values[own] - values[rest] + _comparable(answer, here, others)
                shown[1] = _named(answer, estimates(apart, gaps, fewer, resampling.level))
        positive = None if answer.positive is None else int((here & answer.positive).sum())
        found.append(Group(name, int(here.sum()), count, positive, reasons[name], *shown))
    return found


def _too_small(answer: Measured, here: Bools, floor: Floor) -> str | None:
    count = int(here.sum())
    if count == 0:
        return "no example"
    if count < floor.examples:
        return f"fewer than {floor.examples} examples"
    if answer.positive is not None:
        positives = int((here & answer.positive).sum())
        for name, size in (("positive", positives), ("negative", count - positives)):
            if size < floor.each_class:
                return f"fewer than {floor.each_class} {name} examples"
    return None


def _comparable(answer: Measured, here: Bools, others: Bools) -> Floats:
    """0 for each metric that is the same quantity on both sides, NaN for others."""
    same = answer.true_class is None or set(answer.true_class[here]) == set(answer.true_class[others])
    return np.array([0.0 if same or name not in OVER_CLASSES else np.nan for name in answer.metrics])


def _side_by_side(answer: Measured, members: Sequence[Bools], known: Bools) -> Statistic:
    """Row weights (N,) -> for each group its metrics, then those of the other known rows."""
    parts = []
    for here in members:
        for side in (here, known & ~here):
            rows = np.flatnonzero(side)
            parts.append((rows, answer.over(rows) if len(rows) else None))
    nothing = np.full(len(answer.metrics), np.nan)

    def values(weights: Floats) -> Floats:
        return np.concatenate([over(weights[rows]) if over is not None else nothing for rows, over in parts])

    return values


def _named(answer: Measured, found: Sequence[Estimate]) -> dict[str, Estimate]:
    return dict(zip(answer.metrics, found, strict=True))
