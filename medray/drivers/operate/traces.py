"""What an open plan has left in the lake so far: its own folders only are listed."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

from medray.planning.progress import Traces
from medray.schema.attributions import ATTRIBUTIONS
from medray.schema.images import IMAGES
from medray.schema.labels import LABELS
from medray.schema.predictions import PREDICTIONS
from medray.schema.volumes import VOLUMES
from medray.storage.dated import Dated, dated
from medray.storage.delta import table_uri
from medray.storage.failures import told
from medray.storage.plans import Plan
from medray.storage.snapshot import Snapshot
from medray.storage.store import TEMPORARY
from medray.storage.uri import join

_TABLES = {
    "ingest_dicom": IMAGES.name,
    "volumes": VOLUMES.name,
    "problem": LABELS.name,
    "predict": PREDICTIONS.name,
    "explain": ATTRIBUTIONS.name,
}


def traces(state: Snapshot, plan: Plan) -> Traces:
    """What a plan has left."""
    if plan.job in _TABLES:
        folder = join(table_uri(state.lake, _TABLES[plan.job]), "data", plan.run_id)
        return Traces("chunks", plan.chunks, _times(state, folder, ".parquet"))
    special: dict[str, Callable[[Snapshot, Plan], Traces]] = {
        "ingest_ehr": _records,
        "prepare": _prepared,
        "train": _training,
        "cross_validate": _folds,
        "tune": _search,
        "nightly": _links,
    }
    found = special.get(plan.job)
    return found(state, plan) if found else Traces("steps", None, [])


def _records(state: Snapshot, plan: Plan) -> Traces:
    """First every chunk is mapped, then so many buckets are decided as mapping makes worth while."""
    folder = join(state.lake, "staging", plan.run_id)
    decided = _times(state, folder, ".json")
    if decided:
        return Traces("buckets", None, decided)
    return Traces("chunks", plan.chunks, _times(state, folder, ".arrow"))


def _prepared(state: Snapshot, plan: Plan) -> Traces:
    """Shards lie with those of other plans of this preparation; its own are the new ones."""
    folder = join(state.lake, "cache", plan.facts["family"], plan.facts["prepare_hash"])
    new = [time for time in _times(state, folder, ".arrow") if time >= plan.planned_at]
    total = len(plan.facts["data_files"])
    return Traces("shards", total, sorted(new)[:total])


def _training(state: Snapshot, plan: Plan) -> Traces:
    """The log tells when each epoch ended; it is written anew with each checkpoint."""
    folder, epochs = join(state.lake, "training", plan.run_id), plan.recipe["training"]["epochs"]
    logs = _logs(state, folder)
    if not logs:
        return Traces("epochs", epochs, [])
    return Traces("epochs", epochs, _epoch_ends(state, logs[0]), logs[0].modified)


def _search(state: Snapshot, plan: Plan) -> Traces:
    """Epochs of all trials; how many there will be shows when trials are stopped."""
    logs = _logs(state, join(state.lake, "training", plan.run_id))
    ends = [end for log in logs for end in _epoch_ends(state, log)]
    return Traces("epochs", None, ends, max((log.modified for log in logs), default=None))


def _logs(state: Snapshot, folder: str) -> list[Dated]:
    return [one for one in _files(state, folder) if one.name == "progress.json"]


def _epoch_ends(state: Snapshot, log: Dated) -> list[datetime]:
    history = json.loads(state.store.read(log.uri))["history"]
    return [datetime.fromtimestamp(record["ended_at"], UTC).replace(tzinfo=None) for record in history]


def _folds(state: Snapshot, plan: Plan) -> Traces:
    """A training is done when its result stands."""
    folds = plan.recipe["folds"]
    done = [one for one in _files(state, join(state.lake, "training", plan.run_id)) if one.name == "result.safetensors"]
    return Traces("trainings", folds["count"] * len(folds["seeds"]), sorted(one.modified for one in done))


def _links(state: Snapshot, plan: Plan) -> Traces:
    """Runs of the night's name that were committed since it was planned."""
    return Traces(
        "links",
        None,
        [
            row["committed_at"]
            for row in state.runs.to_pylist()
            if row["name"] == plan.name and row["job"] != plan.job and row["committed_at"] >= plan.planned_at
        ],
    )


def _times(state: Snapshot, folder: str, ending: str) -> list[datetime]:
    return [one.modified for one in _files(state, folder) if one.name.endswith(ending)]


def _files(state: Snapshot, folder: str) -> list[Dated]:
    with told(state.lake):
        return [one for one in dated(state.store, folder) if not one.name.startswith(TEMPORARY)]
