"""What every driver is given, and what it gives back."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import pyarrow as pa

from medray.code_version import code_version
from medray.config import resolved
from medray.narration import Narrator
from medray.planning.accounting import Sum
from medray.recipes.recipe import Recipe
from medray.storage.plans import Plan, now
from medray.storage.store import LAKE, Store


@dataclass(frozen=True)
class Job:
    """One call of a job.

    Attributes:
        run_date: ISO date, an argument: the night that is scored, not the clock.
        tell: where progress goes.
        store: the lake's credentials.
    """

    run_date: str
    tell: Narrator
    store: Store = LAKE


@dataclass(frozen=True)
class Result:
    """What a driver did.

    Attributes:
        status: "done"; "already" when the same run is committed; "nothing" when nothing was new; "held"
            when a night waits for a person's decision.
        run_ids: of the runs committed or found, in order.
        sums: the accounting of what this call did, checked.
        facts: figures for people and reports (JSON).
    """

    status: Literal["done", "already", "nothing", "held"]
    run_ids: tuple[str, ...] = ()
    sums: tuple[Sum, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)


def together(results: Sequence[Result]) -> Result:
    """What the runs of one call did, one after another (at least one); the facts are those of the last."""
    return Result(
        "done",
        tuple(run for one in results for run in one.run_ids),
        tuple(part for one in results for part in one.sums),
        results[-1].facts,
    )


def new_plan(
    recipe: Recipe,
    job: str,
    stream: str,
    run_date: str,
    tables_read: dict[str, int],
    facts: dict[str, Any],
    inputs: Any,
) -> Plan:
    """A plan of this code for this recipe."""
    return Plan(
        job=job,
        name=recipe.name,
        stream=stream,
        run_date=run_date,
        code_version=code_version(),
        recipe=resolved(recipe),
        tables_read=tables_read,
        facts=facts,
        inputs=inputs,
        planned_at=now(),
    )


def no_inputs() -> pa.Table:
    """Of a plan that is not about inputs. (Made at import it would load pandas into every worker.)"""
    return pa.schema([("chunk", pa.int32())]).empty_table()


def act_plan(
    kind: str,
    name: str,
    stream: str,
    job: Job,
    facts: dict[str, Any],
    *,
    tables_read: Mapping[str, int] | None = None,
    inputs: pa.Table | None = None,
    planned_at: datetime | None = None,
) -> Plan:
    """A plan of what a person does by hand: a run of its own that follows from no recipe."""
    return Plan(
        job=kind,
        name=name,
        stream=stream,
        run_date=job.run_date,
        code_version=code_version(),
        recipe={},
        tables_read=dict(tables_read or {}),
        facts=facts,
        inputs=no_inputs() if inputs is None else inputs,
        planned_at=planned_at or now(),
    )


def host_facts(started: float) -> dict[str, Any]:
    """Cpus, platform and seconds of a run that started at `time.monotonic()` = started."""
    return {
        "cpus": os.cpu_count(),
        "machine": platform.machine(),
        "python": platform.python_version(),
        "seconds": round(time.monotonic() - started, 2),
    }
