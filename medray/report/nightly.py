"""The report of a night: that every input ended somewhere, and whether tonight may be published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from medray.report import gate
from medray.report.digits import duration, percent
from medray.report.lineage import lineage_table, reason_table
from medray.report.metric_words import Json
from medray.report.months import months
from medray.report.sections import Group, Link, Quantity, Report, Section, Sum, Table, Text
from medray.report.trend import NightPoint, trend


def nightly_report(
    *,
    title: str,
    subtitle: str,
    facts: Sequence[tuple[str, str]],
    run: str,
    held: bool,
    findings: Sequence[gate.Found],
    compared: Sequence[gate.Compared],
    nights: Sequence[NightPoint],
    judged_beside: int,
    outcomes: Mapping[str, Mapping[str, Json]],
    sums: Sequence[Sum],
    reasons: Mapping[str, int],
    runs: Sequence[tuple[str, str, str]],
    lineage: Mapping[str, str | Link],
    seconds: Mapping[str, float],
) -> Report:
    """The report of one night.

    Args:
        title, subtitle, facts: the head of the page.
        run: the night's run id, as people name it.
        held: nothing was published.
        findings, compared: of the gate.
        nights: earlier ones and tonight, oldest first.
        judged_beside: how many earlier nights the gate compared with.
        outcomes: metrics by month and label of published answers whose outcome is known.
        sums: the accounting of each stage, in order.
        reasons: inputs that were not used tonight, by reason.
        runs: the night's links in order: job, run id as people name it, where its report lies or "".
        lineage: run, model, code, recipe, table versions.
        seconds: wall time by stage, in order.
    """
    sections: list[Section] = [gate.verdict(findings, held, judged_beside, run)]
    if findings:
        sections.append(gate.findings(findings))
    sections += [_summary(sums), Group("Accounting", tuple(sums)), trend(nights)]
    if reasons:
        sections.append(reason_table(reasons))
    if compared:
        sections.append(gate.comparisons(compared))
    if outcomes:
        sections.append(months(outcomes))
    sections += [_runs(runs), _times(seconds), lineage_table(lineage)]
    return Report(title, subtitle, facts, tuple(sections))


def _summary(sums: Sequence[Sum]) -> Text:
    broken = [one.title for one in sums if not one.holds]
    if broken:
        text = f"Inputs are missing or doubled in: {', '.join(broken)}. Do not use tonight's results."
        return Text("Summary", (text,), "alarm")
    return Text("Summary", ("Every input of tonight ended in exactly one place.",))


def _runs(runs: Sequence[tuple[str, str, str]]) -> Table:
    rows = tuple((job, Link(run, page) if page else run) for job, run, page in runs)
    return Table("Runs of this night", ("Job", "Run"), rows, "A run with a report leads to it.")


def _times(seconds: Mapping[str, float]) -> Table:
    whole = sum(seconds.values())
    rows = tuple(
        (stage, Quantity(duration(spent)), Quantity(percent(spent, whole)))
        for stage, spent in (*seconds.items(), ("all", whole))
    )
    return Table("Time", ("Stage", "Wall time", "Share"), rows)
