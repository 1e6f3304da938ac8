"""What is asked for every night, and the limits that hold wherever it runs."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from medray.errors import RecipeError
from medray.schedule.nights import Schedule

# A start that is two hours late and takes all its time has ended before the next is due, on the shortest
# day of the year too (23 h): at every moment the night that was due last is the one that runs.
LATEST_START_S = 2 * 3600
DEADLINE_S = 20 * 3600
# Exit codes of a night that is not tried again: a recipe with mistakes, a held night, one past its deadline.
FINAL_CODES = (2, 3, 124)
_NAME_LIMIT = 52  # a CronJob's jobs add eleven characters to its name


@dataclass(frozen=True)
class Order:
    """A nightly recipe and when it runs.

    Attributes:
        path: where the recipe lies.
        recipe_name: its `name`.
        text: the recipe as written.
        schedule: when nights are due.
        address: the dashboard that takes them; empty: this machine runs them itself.
    """

    path: Path
    recipe_name: str
    text: str
    schedule: Schedule
    address: str = ""

    @property
    def name(self) -> str:
        """As the platform may call it."""
        name = f"medray-{self.recipe_name}"
        if len(name) <= _NAME_LIMIT and not name.endswith("-"):
            return name
        digest = hashlib.sha256(name.encode()).hexdigest()[:8]
        return f"{name[: _NAME_LIMIT - 9].rstrip('-')}-{digest}"

    def timing(self) -> list[str]:
        """The arguments by which a start finds its date, however late it is."""
        return ["--scheduled", self.schedule.cron.text, "--time-zone", self.schedule.zone.key]


def order(path: str, job: str, name: str, schedule: Schedule, address: str) -> Order:
    """An order for a recipe that `medray check` accepts.

    Raises:
        RecipeError: it is not a nightly recipe, or no TOML file.
    """
    if job != "nightly":
        raise RecipeError(f"recipe {path}", f"job = {job!r}", "a nightly recipe", "schedule the recipe of a night")
    if address and not re.match(r"https?://[^\s/'\"]+$", address.rstrip("/")):
        raise RecipeError(
            "--address", repr(address), "http(s)://host[:port] of a dashboard", "name it as for `medray submit`"
        )
    found = Path(path).resolve()
    if found.suffix != ".toml":
        raise RecipeError(f"recipe {path}", f"a {found.suffix or 'nameless'} file", "a TOML file", "name the recipe")
    return Order(found, name, found.read_text(encoding="utf-8"), schedule, address.rstrip("/"))


def remarks(wanted: Order, today: date) -> list[str]:
    """What the person who installs this should know of the coming year."""
    days = wanted.schedule.irregular(today)
    if not days:
        return []
    told = ", ".join(day.isoformat() for day in days)
    at, zone = f"{wanted.schedule.cron.hour:02}:{wanted.schedule.cron.minute:02}", wanted.schedule.zone.key
    return [
        f"In {zone} the clock skips or repeats {at} on {told}. A skipped night may not start: the next one does",
        "its work. A repeated start finds its night done. Etc/UTC, or a time that every day has once, avoids both.",
    ]
