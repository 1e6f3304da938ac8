"""The report of a night: that every input ended somewhere, and whether tonight looks like the reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from medray.report.decisions import score_shift
from medray.report.digits import count, duration, percent
from medray.report.lineage import lineage_table, reason_table
from medray.report.sections import Figure, Group, Quantity, Report, Section, Sum, Table, Text


@dataclass(frozen=True)
class ScoreCounts:
    """Scores counted in bins: edges (B + 1), counts (B)."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]


def nightly_report(
    *,
    title: str,
    subtitle: str,
    facts: Sequence[tuple[str, str]],
    sums: Sequence[Sum],
    scores: Mapping[str, ScoreCounts],
    reference: Mapping[str, ScoreCounts],
    reasons: Mapping[str, int],
    lineage: Mapping[str, str],
    seconds: Mapping[str, float],
) -> Report:
    """The report of one night.

    Args:
        title, subtitle, facts: the head of the page.
        sums: the accounting of each stage, in order.
        scores: tonight's scores by label.
        reference: scores of the set that the model was trained or evaluated on, by label; labels
            without one are shown alone. Edges as in `scores`.
        reasons: inputs that were not used tonight, by reason.
        lineage: run, model, code, recipe, table versions.
        seconds: wall time by stage, in order.

    Raises:
        ValueError: a reference has other edges than tonight's scores.
    """
    sections: list[Section] = [_verdict(sums), Group("Accounting", tuple(sums))]
    if reasons:
        sections.append(reason_table(reasons))
    if scores:
        sections.append(_scores(scores, reference))
    sections += [_times(seconds), lineage_table(lineage)]
    return Report(title, subtitle, facts, tuple(sections))


def _verdict(sums: Sequence[Sum]) -> Text:
    broken = [one.title for one in sums if not one.holds]
    if broken:
        text = f"Inputs are missing or doubled in: {', '.join(broken)}. Do not use tonight's results."
        return Text("Summary", (text,), "alarm")
    return Text("Summary", ("Every input of tonight ended in exactly one place.",))


def _scores(scores: Mapping[str, ScoreCounts], reference: Mapping[str, ScoreCounts]) -> Group:
    figures = tuple(_shift(label, found, reference.get(label)) for label, found in scores.items())
    note = "A shift asks for a look: other patients, another scanner, or another protocol."
    return Group("Scores", figures, note)


def _shift(label: str, tonight: ScoreCounts, reference: ScoreCounts | None) -> Figure:
    if reference is not None and reference.edges != tonight.edges:
        raise ValueError(
            f"nightly report, label {label!r}: found {len(reference.edges)} reference edges that differ from "
            f"tonight's {len(tonight.edges)}; count both in the same bins"
        )
    image = score_shift(tonight.edges, tonight.counts, reference.counts if reference else None)
    against = ", with the reference behind" if reference else ""
    return Figure(label, image, f"Scores of {label} tonight ({count(sum(tonight.counts))}){against}.", wide=True)


def _times(seconds: Mapping[str, float]) -> Table:
    whole = sum(seconds.values())
    rows = tuple(
        (stage, Quantity(duration(spent)), Quantity(percent(spent, whole)))
        for stage, spent in (*seconds.items(), ("all", whole))
    )
    return Table("Time", ("Stage", "Wall time", "Share"), rows)
