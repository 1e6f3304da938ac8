"""The report of an explanation: what speaks for and against the answers, and how far to trust that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from medray.report.attribution_words import CAVEATS, EVERY, KINDS, WORDS
from medray.report.beeswarm import FeatureAmounts, beeswarm
from medray.report.canvas import ALARM, NEGATIVE, svg
from medray.report.digits import decimal, percent
from medray.report.lineage import lineage_table, reason_table
from medray.report.overlays import ShownMaps, overlays
from medray.report.sections import Figure, Group, Highlights, Link, Number, Quantity, Report, Section, Sum, Table, Text

PROMISED = 0.01  # completeness error
FEATURES = 15


@dataclass(frozen=True)
class MethodResult:
    """All explanations by one method.

    Attributes:
        name: a key of `WORDS`.
        completeness: (N,) errors as shares; empty where the method promises no sum.
        fits: (N,), of surrogates; empty for others.
        evaluations: (N,).
        features: all that have a row of their own somewhere; none of maps.
    """

    name: str
    completeness: npt.NDArray[Any]
    fits: npt.NDArray[Any]
    evaluations: npt.NDArray[Any]
    features: Sequence[FeatureAmounts] = ()

    @property
    def reached(self) -> int:
        """Explanations whose error is as promised."""
        return int((self.completeness < PROMISED).sum())


def attribution_report(
    *,
    title: str,
    subtitle: str,
    facts: Sequence[tuple[str, str]],
    unit: str,
    results: Sequence[MethodResult],
    agreement: float | None,
    maps: Mapping[str, Sequence[ShownMaps]],
    total: Sum,
    reasons: Mapping[str, int],
    lineage: Mapping[str, str | Link],
) -> Report:
    """The report of one run.

    Args:
        unit: what amounts are measured in.
        agreement: share of rows in which all methods name the same first feature; None of images and
            of one method.
        maps: by kind of `KINDS`.
    """
    sections: list[Section] = [_summary(results, agreement)]
    if any(maps.values()):
        sections.append(_maps(maps, [one.name for one in results]))
    sections += [_features(one, unit) for one in results if one.features]
    sections.append(Text("How to read this", (EVERY, *(CAVEATS[one.name] for one in results)), "caution"))
    if any(len(one.completeness) for one in results):
        sections.append(_completeness(results))
    sections.append(total)
    if reasons:
        sections.append(reason_table(reasons))
    if any(maps.values()):
        sections.append(_keys(maps))
    sections.append(lineage_table(lineage))
    return Report(title, subtitle, facts, tuple(sections))


def _summary(results: Sequence[MethodResult], agreement: float | None) -> Highlights:
    numbers: list[Number] = []
    for one in results:
        words = WORDS[one.name]
        if len(one.completeness):
            meaning = (
                f"of {len(one.completeness):,} explanations sum up to the answer within 1%; "
                f"the worst misses it by {100 * float(one.completeness.max()):.1g}%"
            )
            numbers.append(Number(words, Quantity(percent(one.reached, len(one.completeness))), meaning))
        elif len(one.fits):
            meaning = (
                f"median fit of the straight line, over {len(one.fits):,} explanations (1: it answers as the network)"
            )
            numbers.append(Number(words, float(np.median(one.fits)), meaning))
        else:
            meaning = "maps; nothing makes them sum up to the answer"
            numbers.append(Number(words, len(one.evaluations), meaning))
    if agreement is not None:
        words = " and ".join(WORDS[one.name] for one in results)
        numbers.append(Number("Same first feature", Quantity(percent(agreement, 1)), f"of the rows, by {words}"))
    return Highlights("Summary", tuple(numbers))


def _maps(maps: Mapping[str, Sequence[ShownMaps]], methods: Sequence[str]) -> Group:
    words = {method: WORDS[method] for method in methods}
    figures = tuple(
        Figure(
            kind.capitalize(), overlays(shown, words), f"{len(shown)} images with their maps: {kind}.", note, wide=True
        )
        for kind, note in KINDS.items()
        if (shown := maps.get(kind, ()))
    )
    note = "Orange speaks for the answer, blue against it; each map has its own scale."
    return Group("Where the answers come from", figures, note)


def _features(result: MethodResult, unit: str) -> Group:
    words = WORDS[result.name]
    first = sorted(result.features, key=lambda one: (-one.size, one.name))[:FEATURES]
    rows = len(result.evaluations)
    figure = Figure(
        "",
        beeswarm(first, f"what the feature adds to the answer ({unit})"),
        "Points: what each of the first features adds in each row, coloured by its value.",
        f"A point is one of {rows:,} rows: right of 0 it speaks for the answer, left against it.",
        wide=True,
    )
    table = Table(
        "Features by mean size",
        ("Feature", "Mean size", "Mean", "Rows", "With higher values"),
        tuple(
            (one.name, one.size / rows, float(one.amounts.sum()) / rows, len(one.amounts), _direction(one.direction))
            for one in first
        ),
        "Means over all rows; a row in which a feature is none of the largest counts as 0. The last column is the rank "
        "correlation of the feature's value and what it adds.",
    )
    return Group(f"{words}: what counts", (figure, table))


def _direction(correlation: float | None) -> Quantity | None:
    if correlation is None:
        return None
    words = "more" if correlation > 0.3 else "less" if correlation < -0.3 else "neither"
    return Quantity(f"{words} ({decimal(correlation)})")


def _completeness(results: Sequence[MethodResult]) -> Group:
    checked = [one for one in results if len(one.completeness)]
    figures = tuple(
        Figure(
            WORDS[one.name],
            _errors(one.completeness),
            f"Histogram of {len(one.completeness)} completeness errors.",
            f"{one.reached:,} of {len(one.completeness):,} below 1%.",
        )
        for one in checked
    )
    table = Table(
        "By method",
        ("Method", "Checked", "Below 1%", "Median error", "Largest error", "Network answers for each, median"),
        tuple(
            (
                WORDS[one.name],
                len(one.completeness),
                one.reached,
                Quantity(f"{100 * float(np.median(one.completeness)):.2g}%"),
                Quantity(f"{100 * float(one.completeness.max()):.2g}%"),
                float(np.median(one.evaluations)),
            )
            for one in checked
        ),
    )
    note = (
        "|sum of attributions + base value - answer|, as a share of |answer - base value| (of 0.1 where that is less)."
    )
    return Group("Do the parts make the whole?", (*figures, table), note)


def _errors(errors: npt.NDArray[Any]) -> bytes:
    exponents = np.log10(np.clip(errors, 1e-8, 1.0))

    def draw(axes: Axes) -> None:
        axes.hist(exponents, bins=np.linspace(-8, 0, 33).tolist(), color=NEGATIVE, edgecolor="white", linewidth=0.6)
        axes.axvline(np.log10(PROMISED), color=ALARM, linewidth=1.2, linestyle=(0, (4, 4)))
        axes.set_xticks([-8, -6, -4, -2, 0], ["0", "0.0001%", "0.01%", "1%", "100%"])
        axes.set(xlabel="completeness error", ylabel="explanations", xlim=(-8.1, 0.1))
        axes.grid(False, axis="x")

    return svg(draw, (4.6, 2.8))


def _keys(maps: Mapping[str, Sequence[ShownMaps]]) -> Table:
    rows = tuple(
        (f"{kind} {place}", one.caption, one.key)
        for kind, shown in maps.items()
        for place, one in enumerate(shown, start=1)
    )
    return Table("Keys of these images", ("Image", "Answer", "Key"), rows)
