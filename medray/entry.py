"""The door of every script in `jobs/` (and `python -m medray.entry JOB RECIPE`): arguments, recipe,
session, driver, exit code."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from importlib import import_module
from typing import Any

from medray.config import load
from medray.errors import MedrayError, RecipeError
from medray.narration import Narrator

DRIVERS = {
    "ingest_dicom": "medray.drivers.images.ingest:ingest_archive",
    "ingest_ehr": "medray.drivers.records.ingest:ingest_records",
    "prepare": "medray.drivers.inputs.prepare:prepare",
    "train": "medray.drivers.models.train:train",
    "predict": "medray.drivers.models.predict:predict",
    "evaluate": "medray.drivers.models.evaluate:evaluate",
    "nightly": "medray.drivers.night.nightly:nightly",
}
HELD = 3  # the exit code of a night that waits for a person


def main(name: str) -> None:
    """Run one job and exit: 0 done, 1 stopped by a broken contract, 2 a recipe with mistakes, 3 a night
    that is held."""
    arguments = _arguments(name)
    tell = Narrator()
    with stopped_by_contract(tell):
        recipe = load(arguments.recipe, arguments.set)
        if recipe.job != name:
            raise RecipeError(
                f"recipe {arguments.recipe}",
                f"job = {recipe.job!r}",
                f"a {name} recipe",
                f"run jobs/{recipe.job}.py with it",
            )
        tell.title(f"{name}: {recipe.name}")
        run(recipe, arguments.run_date, tell)


def run(recipe: Any, run_date: str, tell: Narrator) -> None:
    """Run a recipe's driver in a session of its own and say how it ended."""
    from medray.drivers.job import Job
    from medray.engine.session import session

    with session(recipe.compute.cpus):
        result = driver(recipe.job)(recipe, Job(run_date, tell))
    conclude(result, tell)
    if result.status == "held":
        sys.exit(HELD)


def driver(name: str) -> Callable[[Any, Any], Any]:
    """The driver of a job."""
    module, function = DRIVERS[name].split(":")
    found: Callable[[Any, Any], Any] = getattr(import_module(module), function)
    return found


def conclude(result: Any, tell: Narrator) -> None:
    """One line that says what was done, found done, or not there to do."""
    runs = ", ".join(one[:12] for one in result.run_ids)
    if result.status == "done":
        tell.say(f"committed: run {runs}")
    elif result.status == "held":
        tell.warn(
            f"HELD: run {runs}: nothing of it is published; see the report, then `medray release` or `medray reject`"
        )
    elif result.status == "already":
        tell.say(f"already done: run {runs}; nothing was repeated")
    else:
        tell.say("nothing new: " + "; ".join(str(part) for part in result.sums))
    if result.facts.get("report"):
        tell.say(f"report: {result.facts['report']}")


@contextmanager
def stopped_by_contract(tell: Narrator) -> Iterator[None]:
    """Print a MedrayError in red and exit with its code."""
    try:
        yield
    except MedrayError as error:
        tell.console.print(f"\n{type(error).__name__}: {error}", style="red", markup=False)
        sys.exit(error.exit_code)


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
        default=today(),
        type=_iso_date,
        metavar="YYYY-MM-DD",
        help="the night this run is for (default: today, UTC)",
    )
    return parser.parse_args()


def _iso_date(text: str) -> str:
    return date.fromisoformat(text).isoformat()


if __name__ == "__main__":
    main(sys.argv.pop(1))
