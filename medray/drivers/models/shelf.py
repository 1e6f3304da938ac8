"""`medray models`: the cards of a lake's models, and two versions of one beside each other."""

from __future__ import annotations

from typing import Any

import numpy as np

from medray.drivers.job import Job
from medray.drivers.models.model_card import Facts, card_page, model_card
from medray.planning.model_comparison import compared
from medray.planning.splits import TUNING
from medray.storage.failures import told
from medray.storage.models import names, registered, versions
from medray.storage.plans import read_plan
from medray.storage.run_row import run_row
from medray.storage.snapshot import Snapshot, snapshot
from medray.storage.uri import join


def every_card(lake: str, job: Job) -> list[Facts]:
    """The card of every version of every model, by name and version."""
    state = snapshot(job.store, lake)
    return [model_card(state, one) for name in names(job.store, lake) for one in versions(job.store, lake, name)]


def card(lake: str, name: str, version: int, job: Job) -> Facts:
    """The card of one version, with the place of its `page`, None where none was written.

    Raises:
        ModelError: there is no such version.
    """
    state = snapshot(job.store, lake)
    page = join(lake, card_page(name, version))
    found = model_card(state, registered(job.store, lake, name, version))
    with told(lake):
        return {**found, "page": page if job.store.exists(page) else None}


def comparison(lake: str, name: str, first: int, second: int, job: Job) -> Facts:
    """JSON of `medray.planning.model_comparison.compared`.

    Raises:
        ModelError: there is no such version.
    """
    state = snapshot(job.store, lake)
    cards = [model_card(state, registered(job.store, lake, name, version)) for version in (first, second)]
    runs = [run_row(state, str(one["lineage"]["run_id"])) for one in cards]
    if all(runs):
        recipes = [dict(run["recipe"]) for run in runs if run]
    else:  # one was copied from another lake: what both models tell of themselves
        recipes = [{part: one[part] for part in ("family_config", "task", "split", "training")} for one in cards]
    same = _tuning(state, cards[0]) == _tuning(state, cards[1]) if all(runs) else None
    return compared(cards[0], cards[1], (recipes[0], recipes[1]), same)


def _tuning(state: Snapshot, of: Facts) -> set[tuple[Any, ...]]:
    """The inputs of the tuning split, as the training planned them."""
    inputs = read_plan(state.store, state.lake, "train", of["lineage"]["run_id"]).inputs
    rows = inputs.filter(np.asarray(inputs["split"]) == TUNING)
    return set(zip(*(rows[name].to_pylist() for name in ("input_id", "input_version")), strict=True))
