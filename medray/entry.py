"""The door of every script in `jobs/`: arguments, recipe, session, driver, exit code."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from medray.config import load
from medray.drivers.job import Job, Result
from medray.engine.session import session
from medray.errors import MedrayError, RecipeError
from medray.narration import Narrator

Driver = Callable[[Any, Job], Result]


def main(name: str, driver: Driver) -> None:
    """Run one job and exit: 0 done, 1 stopped by a broken contract, 2 a recipe with mistakes."""
    arguments = _arguments(name)
    tell = Narrator()
    try:
        recipe = load(arguments.recipe, arguments.set)
        if recipe.job != name:
            raise RecipeError(
                f"recipe {arguments.recipe}", f"job = {recipe.job!r}", f"a {name} recipe", f"run jobs/{recipe.job}.py with it"
            )
        tell.title(f"{name}: {recipe.name}")
        with session(recipe.compute.cpus):
            conclude(driver(recipe, Job(arguments.run_date, tell)), tell)
    except MedrayError as error:
        tell.console.print(f"\n{type(error).__name__}: {error}", style="red", markup=False)
        sys.exit(error.exit_code)


def conclude(result: Result, tell: Narrator) -> None:
    """One line that says what was done, found done, or not there to do."""
    runs = ", ".join(run[:12] for run in result.run_ids)
    if result.status == "done":
        tell.say(f"committed: run {runs}")
    elif result.status == "already":
        tell.say(f"already done: run {runs}; nothing was repeated")
    else:
        tell.say("nothing new: " + "; ".join(str(part) for part in result.sums))


def today() -> str:
    return datetime.now(UTC).date().isoformat()


def _arguments(name: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=f"jobs/{name}.py", description=f"Run one {name} recipe.")
    parser.add_argument("recipe", help="a TOML file")
    parser.add_argument("--set", action="append", default=[], metavar="a.b=c", help="change a value of the recipe; recorded")
    parser.add_argument("--run-date", default=today(), type=_iso_date, metavar="YYYY-MM-DD", help="the night this run is for (default: today, UTC)")
    return parser.parse_args()


def _iso_date(text: str) -> str:
    return date.fromisoformat(text).isoformat()
