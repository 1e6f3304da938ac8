"""`medray vacuum`: what nothing in a lake needs any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from medray.commands.options import LakeArgument
from medray.entry import stopped_by_contract, today
from medray.narration import Narrator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from medray.drivers.operate.garbage import Garbage


def vacuum(
    lake: LakeArgument,
    days: Annotated[int, typer.Option(min=1, help="what was written or named in so many days stays")] = 30,
    reports: Annotated[int | None, typer.Option(min=1, help="reports older than so many days go too")] = None,
    delete: Annotated[bool, typer.Option("--delete", help="delete it; without this it is only listed")] = False,
    paths: Annotated[bool, typer.Option("--paths", help="list every object")] = False,
) -> None:
    """List what no version, open plan or model needs; with --delete, delete it in an audited run."""
    from medray.drivers.job import Job
    from medray.drivers.operate.vacuum import find
    from medray.drivers.operate.vacuum import vacuum as vacuum_lake
    from medray.storage.plans import now
    from medray.storage.uri import normalise

    tell = Narrator()
    with stopped_by_contract(tell):
        act = vacuum_lake if delete else find
        found = act(normalise(lake), days, reports, Job(today(), tell), now())
        for one in found if paths else ():
            tell.say(f"{one.kind:<10} {one.size_bytes:>14,}  {one.path}")
        _print(found, delete, tell)


def _print(found: Sequence[Garbage], deleted: bool, tell: Narrator) -> None:
    from medray.drivers.operate.garbage import KINDS
    from medray.drivers.operate.vacuum import tally

    for kind, (objects, size) in tally(found).items():
        tell.say(f"{kind}: {objects:,} objects, {size / 1e6:,.1f} MB ({KINDS[kind]})")
    if not found:
        tell.say("nothing to delete")
    elif deleted:
        tell.say(f"deleted {len(found):,} objects")
    else:
        tell.say(f"{len(found):,} objects could go: `medray vacuum --delete` deletes them")
