"""Sections that both reports end with: what became of the inputs, and what everything came from."""

from __future__ import annotations

from collections.abc import Mapping

from medray.report.digits import percent
from medray.report.intake import outcome_bars
from medray.report.sections import Figure, Group, Link, Quantity, Sum, Table
from medray.schema.reasons import REASONS


def used_inputs(total: Sum, reasons: Mapping[str, int]) -> Group:
    """The sum of one stage, a bar for each outcome, and why inputs were not used."""
    bars = Figure(
        title="",
        image=outcome_bars(dict(total.parts), reasons),
        alt="Bars: " + ", ".join(f"{name} {value}" for name, value in (*total.parts, *reasons.items())) + ".",
        note="Blue: where inputs ended. Orange: why some were not used." if reasons else "",
        wide=True,
    )
    sections = (total, bars, reason_table(reasons)) if reasons else (total, bars)
    return Group("Inputs", sections)


def reason_table(reasons: Mapping[str, int]) -> Table:
    """Reasons by falling count, each with its meaning from `medray.schema.reasons`."""
    whole = sum(reasons.values())
    rows = tuple(
        (name, REASONS.get(name, ""), value, Quantity(percent(value, whole)))
        for name, value in sorted(reasons.items(), key=lambda item: (-item[1], item[0]))
    )
    return Table("Not used, by reason", ("Reason", "Meaning", "Inputs", "Share"), rows)


def lineage_table(lineage: Mapping[str, str | Link]) -> Table:
    """What a result is explained by, one row each."""
    return Table("Lineage", ("What", "Which"), tuple(lineage.items()))
