"""A plan is what a run will do; its hash names the run."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
import story

from medray.errors import StorageError
from medray.storage.plans import planned_runs, read_plan, write_plan
from medray.storage.store import Store
from medray.storage.uri import join


@pytest.mark.parametrize(
    "other",
    [{"planned_at": datetime(2027, 5, 5)}, {"run_date": "2027-05-05"}, {"tables_read": {"images": 9}}],
    ids=["clock", "run_date", "table versions"],
)
def test_the_run_id_is_free_of_when(other: dict[str, Any]) -> None:
    assert replace(story.plan(), **other).run_id == story.plan().run_id


@pytest.mark.parametrize(
    "other",
    [
        {"job": "train"},
        {"name": "b"},
        {"stream": "other"},
        {"code_version": "0.1.1"},
        {"recipe": {"name": "a", "seed": 2}},
        {"facts": {"known": 1}},
        {"inputs": story.plan(inputs=(0, 1, 1)).inputs},
    ],
    ids=lambda other: next(iter(other)),
)
def test_the_run_id_follows_what_is_done(other: dict[str, Any]) -> None:
    assert replace(story.plan(), **other).run_id != story.plan().run_id


def test_the_run_id_is_the_same_on_every_machine_and_day() -> None:
    assert story.plan(inputs=()).run_id == story.plan(inputs=()).run_id
    assert len(story.plan().run_id) == 32
    assert int(story.plan().run_id, 16) > 0


def test_the_order_of_keys_in_a_recipe_means_nothing() -> None:
    forwards, backwards = replace(story.plan(), recipe={"a": 1, "b": 2}), replace(story.plan(), recipe={"b": 2, "a": 1})
    assert forwards.run_id == backwards.run_id
    assert forwards.recipe_sha256 == backwards.recipe_sha256


def awkward_inputs() -> pa.Table:
    """Nulls, lists, booleans, a slice, a filter, several pieces."""
    table = pa.table(
        {
            "chunk": [number // 3 for number in range(11)],
            "word": [None if number % 2 else f"w{number}" for number in range(11)],
            "flag": [[True, None, False][number % 3] for number in range(11)],
            "targets": [[float(number)] * (number % 3) for number in range(11)],
        }
    )
    table = pa.concat_tables([table.slice(1, 4), table.filter(pc.field("chunk") > 1)])
    return table.set_column(0, "chunk", pa.array([0, 0, 1, 1, 2, 2, 2, 3, 3][: table.num_rows], pa.int32()))


def test_a_plan_comes_back_as_it_was(store: Store, lake: str) -> None:
    plan = replace(story.plan(tables_read={"images": 3}, facts={"known": 2}), inputs=awkward_inputs())
    assert write_plan(store, lake, plan) is plan
    back = read_plan(store, lake, plan.job, plan.run_id)
    assert back.run_id == plan.run_id
    assert back.inputs.equals(plan.inputs)
    assert replace(back, inputs=plan.inputs) == plan
    assert back.chunks == plan.chunks == 4


def test_the_first_writer_wins(store: Store, lake: str) -> None:
    first = story.plan(planned_at=datetime(2026, 1, 1, 12))
    second = replace(first, planned_at=datetime(2026, 1, 2, 12), run_date="2026-01-02", tables_read={"images": 5})
    write_plan(store, lake, first)
    stands = write_plan(store, lake, second)
    assert (stands.planned_at, stands.run_date, stands.tables_read) == (first.planned_at, first.run_date, {})


def test_a_plan_exists_when_its_document_does(store: Store, lake: str) -> None:
    plan = story.plan()
    write_plan(store, lake, plan)
    store.delete(join(lake, "plans", plan.job, plan.run_id, "plan.json"))  # killed between the two puts
    assert planned_runs(store, lake, plan.job) == []
    assert write_plan(store, lake, plan) is plan
    assert planned_runs(store, lake, plan.job) == [plan.run_id]


def test_plans_are_listed_by_job(store: Store, lake: str) -> None:
    plans = [story.plan("a"), story.plan("b"), story.plan("c", kind="train")]
    assert planned_runs(store, lake, "predict") == []
    for plan in plans:
        write_plan(store, lake, plan)
    assert planned_runs(store, lake, "predict") == sorted(plan.run_id for plan in plans[:2])
    assert planned_runs(store, lake, "train") == [plans[2].run_id]


def test_a_plan_without_inputs_has_no_chunk() -> None:
    assert story.plan(inputs=()).chunks == 0
    assert story.plan(inputs=(0,)).chunks == 1


def test_a_missing_plan_is_told(store: Store, lake: str) -> None:
    with pytest.raises(StorageError, match="nothing there"):
        read_plan(store, lake, "predict", "0" * 32)
