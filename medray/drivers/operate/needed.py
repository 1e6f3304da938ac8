"""What is needed still: versions of tables that runs name, shards that runs and models in production have used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from medray.drivers.inputs.reading import declared, reading_of
from medray.errors import ModelError
from medray.recipes.train import TrainRecipe
from medray.storage.models import load_definition, names
from medray.storage.plans import Plan, read_plan
from medray.storage.promotions import choose
from medray.storage.snapshot import Snapshot

_PREPARING = ("prepare", "train", "cross_validate", "predict", "evaluate", "explain")


@dataclass(frozen=True)
class Needed:
    """Attributes:
    shards: (prepare hash, data file).
    whole: prepare hashes of which every shard is needed.
    """

    shards: frozenset[tuple[str, str]]
    whole: frozenset[str]

    @property
    def preparations(self) -> set[str]:
        return {preparation for preparation, _ in self.shards}


def oldest_versions(state: Snapshot, open_plans: Sequence[Plan], cutoff: datetime) -> dict[str, int]:
    """The oldest version of each table that was the newest at the cutoff, or that a run which was committed
    since, or is open, names. A table that is not among them is needed from its beginning."""
    standing: dict[str, int] = {}
    later: list[dict[str, int]] = [plan.tables_read for plan in open_plans]
    for row in state.runs.to_pylist():
        written, read = dict(row["tables_written"]), dict(row["tables_read"])
        if row["committed_at"] > cutoff:
            later += [written, read]
            continue
        for name, version in written.items():
            standing[name] = max(version, standing.get(name, 0))
    return {name: min([version, *(one[name] for one in later if name in one)]) for name, version in standing.items()}


def needed_shards(state: Snapshot, open_plans: Sequence[Plan], cutoff: datetime) -> Needed:
    """Shards of plans that are open or were committed since the cutoff, and of the trainings of the models that
    are in production."""
    whole: set[str] = set()
    shards: set[tuple[str, str]] = set()
    for plan in (*open_plans, *_plans_since(state, cutoff), *_trainings(state)):
        preparation = _preparation(state, plan)
        if preparation is None:
            continue
        if plan.job == "evaluate":  # it reads what its model was trained on, and what it asks for
            whole.add(preparation)
        learns = plan.job in ("train", "cross_validate")
        files = plan.inputs["data_file"].unique().to_pylist() if learns else plan.facts.get("data_files")
        shards.update((preparation, path) for path in files or ())
    return Needed(frozenset(shards), frozenset(whole))


def _plans_since(state: Snapshot, cutoff: datetime) -> Iterator[Plan]:
    for row in state.runs.to_pylist():
        if row["committed_at"] > cutoff and row["job"] in _PREPARING:
            yield read_plan(state.store, state.lake, row["job"], row["run_id"])


def _trainings(state: Snapshot) -> Iterator[Plan]:
    runs = state.run_ids()
    for name in names(state.store, state.lake):
        try:
            card = choose(state.store, state.lake, name, "production").card
        except ModelError:  # none of its versions is in production
            continue
        if card.get("run_id") in runs:  # a copied model was trained in another lake
            yield read_plan(state.store, state.lake, "train", str(card["run_id"]))


def _preparation(state: Snapshot, plan: Plan) -> str | None:
    """The prepare hash of what a plan reads; None where it reads nothing prepared, or this medray does not know
    its model: the cache is then of no use to it."""
    if plan.job == "prepare":
        return str(plan.facts["prepare_hash"])
    try:
        if plan.job == "cross_validate":
            return reading_of(plan.facts).hash
        if plan.job == "train":
            return declared(TrainRecipe.model_validate(plan.recipe)).hash
        if plan.job in ("predict", "evaluate", "explain"):
            definition: Any = load_definition(state.store, state.lake, plan.facts["model_sha256"])
            return reading_of(definition).hash
    except ValidationError:
        return None
    return None
