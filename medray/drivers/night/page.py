"""The report of a night: a page for people, and the same as JSON for what watches the nights."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from medray.drivers.job import Job
from medray.drivers.models.evaluation_page import lineage
from medray.drivers.night.judging import Judged
from medray.drivers.night.nights import night_document, night_rows, unused_share
from medray.drivers.night.outcomes import outcomes
from medray.drivers.reports import report_folder, report_page, write_report
from medray.planning.accounting import Sum
from medray.planning.gate.shifts import Shift
from medray.recipes.score import NightlyRecipe
from medray.report.gate import Compared, Found
from medray.report.nightly import nightly_report
from medray.report.render import render
from medray.report.sections import Sum as ShownSum
from medray.report.trend import NightPoint
from medray.schema.quarantine import QUARANTINE
from medray.storage.commit import run_of
from medray.storage.delta import scan_file, table_uri
from medray.storage.failures import told as told_failures
from medray.storage.models import Registered
from medray.storage.plans import Plan
from medray.storage.snapshot import Snapshot, snapshot
from medray.storage.uri import join

_NIGHTS = 60


@dataclass(frozen=True)
class Told:
    """All that a night's report tells.

    Attributes:
        plan, recipe, model, job: of the night.
        abstained: inputs out of the model's range, by reason.
        seconds: wall time by stage.
        judged, held: by the gate.
    """

    plan: Plan
    recipe: NightlyRecipe
    model: Registered
    job: Job
    abstained: dict[str, int]
    seconds: dict[str, float]
    judged: Judged
    held: bool


def write_page(told: Told) -> str:
    """Write `report.html` and `report.json`; returns where the page lies."""
    state = snapshot(told.job.store, told.recipe.lake)
    evaluated = outcomes(state, told.model, told.plan.run_date, told.job)
    reasons = _reasons(state, set(told.judged.children), told.abstained)
    folder = report_folder(told.recipe.lake, told.plan.run_id)
    with told_failures(told.recipe.lake):
        document = json.dumps(_document(told, reasons, evaluated), sort_keys=True, indent=1)
        told.job.store.replace(join(folder, "report.json"), document.encode())
    return write_report(told.job, told.recipe.lake, told.plan.run_id, _page(told, state, reasons, evaluated))


def _page(told: Told, state: Snapshot, reasons: dict[str, int], evaluated: dict[str, Any]) -> str:
    plan, model, verdict = told.plan, told.model, told.judged.verdict
    return render(
        nightly_report(
            title=f"Night of {plan.run_date}",
            subtitle=f"{told.recipe.name}: {model.name} version {model.version}",
            facts=(("Run", plan.run_id[:12]), ("Links", str(len(told.judged.links) or "nothing new"))),
            run=plan.run_id[:12],
            held=told.held,
            findings=[Found(one.check, one.holds, one.about, one.found, one.allowed) for one in verdict.findings],
            compared=[_compared(one) for one in verdict.shifts],
            nights=_nights(told, state),
            judged_beside=verdict.nights,
            outcomes=evaluated,
            sums=[shown(part) for part in told.judged.sums],
            reasons=reasons,
            runs=[_run(link) for link in told.judged.links],
            lineage=lineage(plan, model, state),
            seconds=told.seconds,
        )
    )


def _document(told: Told, reasons: dict[str, int], evaluated: dict[str, Any]) -> dict[str, Any]:
    verdict = told.judged.verdict
    return {
        "run_id": told.plan.run_id,
        "run_date": told.plan.run_date,
        "recipe": told.recipe.name,
        "model": {"name": told.model.name, "version": told.model.version, "sha256": told.model.sha256},
        "verdict": "held" if told.held else "published",
        "findings": verdict.document(),
        "shifts": [
            {"about": one.about, "against": one.against, **asdict(one.drift), "examples": sum(one.tonight)}
            for one in verdict.shifts
        ],
        "sums": [part.counts() for part in told.judged.sums],
        "reasons": reasons,
        "night": night_document(told.judged.night),
        "outcomes": evaluated,
        "links": list(told.judged.children),
        "seconds": told.seconds,
    }


def _run(link: Mapping[str, Any]) -> tuple[str, str, str]:
    page = report_page(link["run_id"]) if link["report_uri"] else ""
    return link["job"], link["run_id"][:12], page


def _compared(one: Shift) -> Compared:
    scale = one.scale
    return Compared(
        one.about, one.against, scale.edges, scale.values, tuple(one.tonight), tuple(one.reference),
        one.drift.psi, one.drift.ks,
    )  # fmt: skip


def _nights(told: Told, state: Snapshot) -> list[NightPoint]:
    """Earlier nights and tonight, oldest first."""
    points = [
        _point(row["run_date"].isoformat(), row["status"], row["facts"]["night"])
        for row in night_rows(state, told.recipe.name)
        if "night" in row["facts"] and row["run_date"].isoformat() < told.plan.run_date
    ]
    status = "held" if told.held else "published"
    return [*points[1 - _NIGHTS :], _point(told.plan.run_date, status, night_document(told.judged.night))]


def _point(day: str, status: str, night: dict[str, Any]) -> NightPoint:
    return NightPoint(day, status, night["usable"], unused_share(night))


def shown(part: Sum) -> ShownSum:
    """The accounting as a report shows it."""
    return ShownSum(part.total_name.capitalize(), part.total_name, part.total, tuple(part.parts.items()))


def _reasons(state: Snapshot, runs: set[str], abstained: dict[str, int]) -> dict[str, int]:
    """Inputs that these runs did not use, by reason."""
    counted: Counter[str] = Counter()
    root = table_uri(state.lake, QUARANTINE.name)
    for path in state.files(QUARANTINE):
        if run_of(path) in runs:  # the table grows for ever, a night does not
            with told_failures(state.lake):
                for batch in scan_file(state.store, join(root, path), QUARANTINE, ("reason",)):
                    counted.update(batch["reason"].to_pylist())
    counted.update(abstained)
    return dict(counted.most_common())
