"""Nights: their history, and what people decide about held ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from medray.commands.options import Lake, LakeArgument
from medray.entry import stopped_by_contract, today
from medray.narration import Narrator

if TYPE_CHECKING:
    from medray.drivers.night.decide import Decision

Run = Annotated[str, typer.Argument(help="run id of the night, or its beginning")]
Reason = Annotated[str, typer.Option(help="why, for the audit; nothing about a patient")]
_MOST = 30
_STYLES = {"held": "red", "rejected": "yellow", "released": "cyan"}


def release(run: Run, lake: Lake, reason: Reason) -> None:
    """Publish a held night: the very answers that were held."""
    _decide(run, lake, reason, "release")


def reject(run: Run, lake: Lake, reason: Reason) -> None:
    """Throw the answers of a held night away; their inputs are asked again."""
    _decide(run, lake, reason, "reject")


def _decide(run: str, lake: str, reason: str, decision: Decision) -> None:
    from medray.drivers.job import Job
    from medray.drivers.night.decide import decide
    from medray.storage.uri import normalise

    tell = Narrator()
    with stopped_by_contract(tell):
        decided = decide(normalise(lake), run, decision, reason, Job(today(), tell))
        done = {"release": "released", "reject": "rejected"}[decision]
        if decided.answers is None:
            tell.say(f"already {done}: night {decided.night}")
        else:
            tell.say(f"{done}: night {decided.night}, {decided.answers:,} answers")


def runs(
    lake: LakeArgument,
    name: Annotated[str, typer.Option(help="of the nightly recipe (default: all)")] = "",
    last: Annotated[int, typer.Option(min=1, help="how many nights")] = _MOST,
) -> None:
    """The history of nights: how much came, how much was not used, what became of it and why."""
    from rich.table import Table

    from medray.drivers.night.listing import history, spark
    from medray.storage.snapshot import snapshot
    from medray.storage.store import LAKE
    from medray.storage.uri import normalise

    tell = Narrator()
    with stopped_by_contract(tell):
        lines = history(snapshot(LAKE, normalise(lake)), name or None)[-last:]
        if not lines:
            tell.say("no nights yet")
            return
        table = Table(box=None, pad_edge=False)
        for column in ("night", "run", "recipe", "status", "new", "not used", "why held"):
            table.add_column(column, justify="right" if column in ("new", "not used") else "left")
        for line in lines:
            style = _STYLES.get(line.status, "")
            cells = (
                line.day,
                line.run,
                line.recipe,
                line.status,
                f"{line.usable:,}",
                f"{line.unused:.1%}",
                line.reason,
            )
            table.add_row(*cells, style=style)
        tell.console.print(table)
        tell.say("")
        tell.say(f"new       {spark([line.usable for line in lines])}")
        tell.say(f"not used  {spark([line.unused for line in lines])}")
        if lines[-1].report:
            tell.say(f"newest report: {lines[-1].report}")
