"""The door of every script in `jobs/` (and `python -m medray.entry JOB RECIPE`): arguments, recipe,
session, driver, exit code."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime
from importlib import import_module
from typing import Any

from medray.config import load
from medray.errors import MedrayError, PlanError, RecipeError, StorageError
from medray.narration import Narrator, narrator
from medray.schedule.nights import schedule

DRIVERS = {
    "ingest_dicom": "medray.drivers.images.ingest:ingest_archive",
    "ingest_ehr": "medray.drivers.records.ingest:ingest_records",
    "prepare": "medray.drivers.inputs.prepare:prepare",
    "train": "medray.drivers.models.validated:train_validated",
    "tune": "medray.drivers.models.tune:tune",
    "predict": "medray.drivers.models.predict:predict",
    "evaluate": "medray.drivers.models.evaluate:evaluate",
    "explain": "medray.drivers.models.attribute:attribute",
    "nightly": "medray.drivers.night.nightly:nightly",
}
HELD = 3  # the exit code of a night that waits for a person


def main(name: str) -> None:
    """Run one job and exit: 0 done, 1 stopped by a broken contract, 2 a recipe with mistakes, 3 a night
    that is held."""
    arguments = _arguments(name)
    with stopped_by_contract(Narrator()):
        tell = narrator()
    with stopped_by_contract(tell):
        run_date = night_or_day(arguments.run_date, arguments.scheduled, arguments.time_zone)
        tell.about(job=name, run_date=run_date)
        recipe = load(arguments.recipe, arguments.set)
        if recipe.job != name:
            raise RecipeError(
                f"recipe {arguments.recipe}",
                f"job = {recipe.job!r}",
                f"a {name} recipe",
                f"run jobs/{recipe.job}.py with it",
            )
        tell.about(recipe=recipe.name)
        tell.title(f"{name}: {recipe.name}")
        run(recipe, run_date, tell)


def run(recipe: Any, run_date: str, tell: Narrator) -> None:
    """Run a recipe's driver in a session of its own and say how it ended."""
    from medray.drivers.job import Job
    from medray.engine.metrics import counted
    from medray.engine.session import session

    compute = recipe.compute
    with session(compute.cpus, compute.gpus), counted(recipe.job, recipe.name, run_date) as count:
        result = driver(recipe.job)(recipe, Job(run_date, tell))
        count(result.status, [(part.total_name, part.parts) for part in result.sums])
    conclude(result, tell)
    _keep_few_files(recipe.lake)
    if result.status == "held":
        sys.exit(HELD)


def driver(name: str) -> Callable[[Any, Any], Any]:
    """The driver of a job."""
    module, function = DRIVERS[name].split(":")
    found: Callable[[Any, Any], Any] = getattr(import_module(module), function)
    return found


def _keep_few_files(lake: str) -> None:
    """The run is committed, whatever becomes of this: what is left, the next job does."""
    from medray.storage.store import LAKE
    from medray.storage.together import bring_together

    with suppress(PlanError, StorageError):
        bring_together(LAKE, lake)


def conclude(result: Any, tell: Narrator) -> None:
    """One line that says what was done, found done, or not there to do."""
    runs = ", ".join(one[:12] for one in result.run_ids)
    told = {
        "event": result.status,
        "run_ids": list(result.run_ids),
        "sums": [part.counts() for part in result.sums],
    }
    if result.status == "done":
        tell.say(f"committed: run {runs}", **told)
    elif result.status == "held":
        tell.warn(
            f"HELD: run {runs}: nothing of it is published; see the report, then `medray release` or `medray reject`",
            **told,
        )
    elif result.status == "already":
        tell.say(f"already done: run {runs}; nothing was repeated", **told)
    else:
        tell.say("nothing new: " + "; ".join(str(part) for part in result.sums), **told)
    if result.facts.get("report"):
        tell.say(f"report: {result.facts['report']}")


@contextmanager
def stopped_by_contract(tell: Narrator) -> Iterator[None]:
    """Print a MedrayError in red and exit with its code."""
    try:
        yield
    except MedrayError as error:
        tell.stopped(error)
        sys.exit(error.exit_code)


def night_or_day(run_date: str, scheduled: str, time_zone: str) -> str:
    """The date that a run is for: the one that is named, or that of the night that was due last by a
    schedule, however late the run starts; today (UTC) where neither is given.

    Raises:
        RecipeError: both are given, or one of them cannot be read.
    """
    if run_date and scheduled:
        raise RecipeError("--scheduled", "--run-date beside it", "one of the two", "leave one out")
    if scheduled:
        return schedule(scheduled, time_zone).night(datetime.now(UTC)).isoformat()
    return _iso_date(run_date) if run_date else today()


def today() -> str:
    return datetime.now(UTC).date().isoformat()


def _arguments(name: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=f"jobs/{name}.py", description=f"Run one {name} recipe.")
    parser.add_argument("recipe", help="a TOML file")
    parser.add_argument(
        "--set", action="append", default=[], metavar="a.b=c", help="change a value of the recipe; recorded"
    )
    parser.add_argument(
        "--run-date",
        default="",
        metavar="YYYY-MM-DD",
        help="the night this run is for (default: today, UTC)",
    )
    parser.add_argument(
        "--scheduled", default="", metavar="CRON", help="the run is for the night that was due last by this schedule"
    )
    parser.add_argument("--time-zone", default="Etc/UTC", help="of the schedule's clock (default: Etc/UTC)")
    return parser.parse_args()


def _iso_date(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise RecipeError("--run-date", repr(text), "YYYY-MM-DD", "write the date as 2026-01-31") from error


if __name__ == "__main__":
    main(sys.argv.pop(1))
