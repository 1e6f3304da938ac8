"""The runs of a night, and the sums that they hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from medray.planning.accounting import Sum, stored_sum
from medray.recipes.problem import Problem
from medray.storage.plans import Plan
from medray.storage.snapshot import Snapshot

# The sums that the runs of each job hold.
_TOTALS = {
    "ingest_dicom": ("listed",),
    "ingest_ehr": ("listed", "candidates"),
    "volumes": ("series", "slices"),
    "labels": ("answers",),
    "problem": ("inputs",),
    "prepare": (),
    "predict": ("requested",),
}


def links_of(state: Snapshot, plan: Plan, problem: Problem | None) -> list[dict[str, Any]]:
    """The runs of this night in order, those of a killed attempt among them, and none that another night
    has counted: nights may overlap."""
    names = {(job, plan.name) for job in _TOTALS} | {("problem", problem.name if problem else "")}
    rows = state.runs.to_pylist()
    others = (row for row in rows if row["job"] == plan.job and row["run_id"] != plan.run_id)
    counted = {run for night in others for run in night["children"]}
    runs = [
        row
        for row in rows
        if (row["job"], row["name"]) in names
        and row["committed_at"] >= plan.planned_at
        and row["run_id"] not in counted
    ]
    return sorted(runs, key=lambda row: row["committed_at"])


def sums_of(links: Sequence[dict[str, Any]], now: Sequence[Sum]) -> tuple[Sum, ...]:
    """The accounting of each link; of a stage that found nothing new, what it told now."""
    stored = [stored_sum(dict(link["counts"]), total) for link in links for total in _TOTALS[link["job"]]]
    quiet = [part for part in now if part.total_name not in {one.total_name for one in stored}]
    order = [total for totals in _TOTALS.values() for total in totals]
    return tuple(sorted([*stored, *quiet], key=lambda part: order.index(part.total_name)))


def counts_of(sums: Sequence[Sum]) -> dict[str, int]:
    """The counts of all sums, as `runs` keeps those of a night."""
    total: Counter[str] = Counter()
    for part in sums:
        total.update(
            {f"{part.total_name}/{name}": count for name, count in part.counts().items() if name != part.total_name}
        )
        total[part.total_name] += part.total
    return dict(total)
