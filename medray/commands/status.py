"""`medray status`: what runs in a lake, or was left unfinished."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from medray.commands.options import LakeArgument
from medray.entry import stopped_by_contract, today
from medray.narration import Narrator


def status(
    lake: LakeArgument,
    watch: Annotated[float, typer.Option(metavar="SECONDS", help="look again so often, until Ctrl-C")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="for machines")] = False,
) -> None:
    """Print what is running or left unfinished, how far it is, what to do, and the newest runs."""
    from medray.drivers.job import Job
    from medray.drivers.operate.status import status as status_of
    from medray.storage.plans import now
    from medray.storage.uri import normalise

    tell = Narrator()
    with stopped_by_contract(tell):
        place = normalise(lake)
        while True:
            found = status_of(place, Job(today(), tell), now())
            if as_json:
                print(json.dumps(_document(found, place)), flush=True)
            else:
                _print(found, place, tell, clear=bool(watch))
            if not watch:
                break
            time.sleep(watch)


def _print(found: Any, lake: str, tell: Narrator, *, clear: bool) -> None:
    if clear:
        tell.console.clear()
    tell.title(f"Open: {len(found.open)} plan(s)")
    rows = _document(found, lake)
    for line in _lines(rows["open"]):
        tell.say(line)
    for one in rows["open"]:
        tell.say(f"{one['run']}: {one['do']}")
    tell.title("Newest runs")
    for line in _lines(rows["newest"]):
        tell.say(line)
    night = rows["night"]
    for held in rows["waiting"]:
        tell.warn(f"HELD: night {held['night']}, run {held['run']}: `medray release` or `medray reject`")
    tell.say(f"newest night: {night['night']}, committed {night['committed']}" if night else "no night yet")


def _document(found: Any, lake: str) -> dict[str, Any]:
    return {
        "open": [_open(one, lake) for one in found.open],
        "newest": [_run(run) for run in found.newest],
        "night": _run(found.night) if found.night else None,
        "waiting": [_run(run) for run in found.waiting],
    }


def _open(one: Any, lake: str) -> dict[str, Any]:
    from medray.planning.progress import lasting

    plan, far = one.plan, one.progress
    pace = "-" if far.per_minute is None else f"{far.per_minute:,.3g} a minute"
    return {
        "run": plan.run_id[:12],
        "job": plan.job,
        "name": plan.name,
        "night": plan.run_date,
        "planned": f"{plan.planned_at:%Y-%m-%d %H:%M} UTC",
        "done": far.words,
        "rate": pace,
        "left": lasting(far.left_s),
        "last progress": f"{lasting(far.quiet_s)} ago",
        "state": far.state,
        "do": one.advice(lake),
    }


def _run(run: dict[str, Any]) -> dict[str, Any]:
    counts = ", ".join(f"{name} {count:,}" for name, count in run["counts"] if count)
    return {
        "run": run["run_id"][:12],
        "job": run["job"],
        "name": run["name"],
        "night": str(run["run_date"]),
        "committed": f"{run['committed_at']:%Y-%m-%d %H:%M} UTC",
        "counts": counts,
    }


def _lines(rows: list[dict[str, Any]]) -> Iterator[str]:
    """The rows with their names above them, in columns; what is to be done stands apart."""
    names = [name for name in (rows[0] if rows else {}) if name != "do"]
    shown = [names, *([str(row[name]) for name in names] for row in rows)]
    widths = [max(len(row[place]) for row in shown) for place in range(len(names))]
    for row in shown if rows else ():
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
