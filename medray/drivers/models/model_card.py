"""A model card as it stands now: what the training recorded, what people said since, what evaluations found."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from medray.drivers.job import Job
from medray.drivers.reports import report_folder
from medray.errors import ModelError
from medray.planning.model_card import empty_fields, found_limits, how_to_fill, sources, without_curves
from medray.planning.model_words import cohort, question, targets
from medray.planning.splits import SPLITS
from medray.recipes.problem import Problem
from medray.report.model_card import model_card_report
from medray.report.render import render
from medray.storage.descriptions import descriptions
from medray.storage.failures import told
from medray.storage.models import Registered, load_definition, model_subjects, registered
from medray.storage.promotions import promotions
from medray.storage.run_row import run_row
from medray.storage.snapshot import Snapshot, snapshot
from medray.storage.uri import join

Facts = dict[str, Any]


def model_card(state: Snapshot, chosen: Registered) -> Facts:
    """The card of a version as JSON. It has every field, empty where nothing is known.

    Raises:
        ModelError: the model's definition is missing or damaged, or its record is none that medray writes.
    """
    record = _checked(chosen)
    definition = load_definition(state.store, state.lake, chosen.sha256)
    said = descriptions(state.store, state.lake, chosen.name, chosen.version)
    have = promotions(state.store, state.lake, chosen.name)
    card: Facts = {
        "name": chosen.name,
        "version": chosen.version,
        "trained_on": record.get("trained_on"),
        "in_production": bool(have) and have[-1].version == chosen.version,
        "promotions": [{"number": one.number, "at": one.at} for one in have if one.version == chosen.version],
        "declared": dict(said[-1].words) if said else record.get("declared", {}),
        "described": {"number": said[-1].number, "at": said[-1].at, "actor": said[-1].actor} if said else None,
        "family": definition.get("family"),
        "family_config": definition.get("family_config", {}),
        "task": definition.get("task_config", {}),
        "sources": sources(record.get("tables_read") or {}),
        "data": record.get("data") or _data_before_cards(state, chosen, definition),
        "split": record.get("split", {}),
        "tuning": record.get("tuning", {}),
        "calibration": record.get("calibration") or _calibration_before_cards(definition),
        "cross_validation": record.get("cross_validation"),
        "telltales": (record.get("leaks") or {}).get("telltales", []),
        "evaluations": list(_evaluations(state, chosen)),
        "training": record.get("training", {}),
        "history": record.get("history", []),
        "lineage": {
            "model_sha256": chosen.sha256,
            **{name: record.get(name) for name in ("run_id", "code_version", "recipe_sha256", "tables_read")},
            "report": _report_of(state, record.get("run_id")),
        },
    }
    return {**card, "limits": found_limits(card), "empty": empty_fields(card)}


def card_page(name: str, version: int) -> str:
    """Where the page of a version lies in its lake."""
    return f"models/{name}/cards/{version:06d}.html"


def link_to_card(state: Snapshot, name: str, version: int) -> str | None:
    """Where the page of a version lies from that of a run; None where it was never written."""
    page = card_page(name, version)
    with told(state.lake):
        return f"../../{page}" if state.store.exists(join(state.lake, page)) else None


def write_card(lake: str, name: str, version: int, job: Job) -> str:
    """Write the page of a version as its card stands now; returns where. It can be written again at any time."""
    state = snapshot(job.store, lake)
    uri = join(lake, card_page(name, version))
    page = render(model_card_report(model_card(state, registered(job.store, lake, name, version))))
    with told(lake):
        job.store.replace(uri, page.encode())
    return uri


def refuse_incomplete(lake: str, chosen: Registered, job: Job) -> None:
    """Raise ModelError, with every empty field at once, where a version's card is not complete."""
    empty = model_card(snapshot(job.store, lake), chosen)["empty"]
    if empty:
        raise ModelError(
            f"model {chosen.name!r} version {chosen.version} in {lake}",
            f"a model card with nothing in: {', '.join(empty)}",
            "a complete card, before a version goes into production",
            how_to_fill(empty, chosen.name, chosen.version, lake),
        )


def _checked(chosen: Registered) -> Mapping[str, Any]:
    """The record of a version, if its sections are sections and its words are words."""
    record = chosen.card
    sections = [record.get(name) or {} for name in ("declared", "data", "split", "tuning", "calibration", "training")]
    words = record.get("declared") or {}
    if all(isinstance(one, Mapping) for one in sections) and all(isinstance(one, str) for one in words.values()):
        return record
    raise ModelError(
        f"model {chosen.name!r} version {chosen.version}",
        "a record whose sections are no tables of a card",
        "a record as medray writes it",
        "restore it from a backup",
    )


def _evaluations(state: Snapshot, chosen: Registered) -> Iterator[Facts]:
    """Evaluations of this very model, newest first; `metrics` is empty where a vacuum has taken them away."""
    rows = [row for row in state.runs.to_pylist() if row["job"] == "evaluate" and row["model_sha256"] == chosen.sha256]
    for row in sorted(rows, key=lambda one: one["committed_at"], reverse=True):
        run = run_row(state, row["run_id"])
        uri = join(report_folder(state.lake, row["run_id"]), "metrics.json")
        with told(state.lake):
            found = json.loads(state.store.read(uri)) if state.store.exists(uri) else {}
        yield {
            "run_id": row["run_id"],
            "run_date": row["run_date"].isoformat(),
            "split": run["recipe"].get("split") if run else None,
            "metrics": without_curves(found.get("answers", found)),  # once the answers were the whole document
        }


def _report_of(state: Snapshot, run_id: Any) -> str | None:
    """Where the report of the training lies; None where it was trained elsewhere, or before there were reports."""
    rows = zip(state.runs["run_id"].to_pylist(), state.runs["report_uri"].to_pylist(), strict=True)
    return next((uri for run, uri in rows if run == run_id), None)


def _data_before_cards(state: Snapshot, chosen: Registered, definition: Mapping[str, Any]) -> Facts:
    """What a record from before there were cards tells of its data."""
    counts = chosen.card.get("examples") or {}
    subjects = model_subjects(state.store, state.lake, chosen.sha256)
    splits = {split: {"inputs": counts[split]} for split in SPLITS if split in counts}
    for split, known in subjects.items():
        if split in splits:
            splits[split]["subjects"] = len(known)
    task = definition["task_config"]
    problem = Problem.model_validate(definition["problem"]) if definition.get("problem") else None
    return {
        "question": question(task),
        "cohort": cohort(problem, definition["family_config"]),
        "targets": targets(problem, task.get("labels") or [task["label"]]),
        "splits": splits,
    }


def _calibration_before_cards(definition: Mapping[str, Any]) -> Facts:
    if not definition.get("calibration"):
        return {}
    return {"method": "fitted on the tuning split; what it changed was not recorded", "questions": {}}
