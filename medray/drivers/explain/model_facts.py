"""The model behind a prediction: which one, made by which run of which data, with the subject in which split."""

from __future__ import annotations

from typing import Any

from medray.drivers.job import Job
from medray.planning.splits import hashed_split
from medray.storage.models import Registered, model_subjects
from medray.storage.run_row import run_row
from medray.storage.snapshot import Snapshot


def model_facts(state: Snapshot, model: Registered, subject_id: int, job: Job) -> dict[str, Any]:
    """Of a registered model, seen from one subject."""
    card = model.card
    run = run_row(state, str(card["run_id"]))
    trained = {
        "run_id": card["run_id"],
        "run_date": run["run_date"] if run else None,
        "committed_at": run["committed_at"] if run else None,  # of a copied model the lake has no run
        "code_version": card["code_version"],
        "recipe_sha256": card["recipe_sha256"],
        "tables_read": card["tables_read"],
        "examples": card["examples"],
    }
    learnt = [
        split
        for split, subjects in model_subjects(job.store, state.lake, model.sha256).items()
        if subject_id in subjects
    ]
    return {
        "name": model.name,
        "version": model.version,
        "card": f"medray models show {model.name} {model.version} --lake {state.lake}",
        "model_sha256": model.sha256,
        "trained_by": trained,
        "subject_in_split": ", ".join(sorted(learnt)) or _declared(card["split"], subject_id),
        "made_with_this_subject": bool(learnt),
    }


def _declared(split: dict[str, Any], subject_id: int) -> str:
    """Where the split puts a subject that the model was made without."""
    if split.get("salt") is None:
        return f"none of the model's own (the label {split.get('label')!r} of its answers says)"
    return hashed_split(subject_id, str(split["salt"]), float(split["tuning"]), float(split["held_out"]))
