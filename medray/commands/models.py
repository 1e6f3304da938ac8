"""Which model scores at night."""

from __future__ import annotations

from typing import Annotated

import typer

from medray.commands.options import Lake
from medray.entry import stopped_by_contract, today
from medray.narration import Narrator

Name = Annotated[str, typer.Argument(help="a model's name")]


def promote(name: Name, version: int, lake: Lake) -> None:
    """Make a version of a model the one that nightly runs score with."""
    from medray.drivers.job import Job
    from medray.drivers.models.promote import promote as promote_version
    from medray.storage.uri import normalise

    tell = Narrator()
    with stopped_by_contract(tell):
        chosen = promote_version(normalise(lake), name, version, Job(today(), tell))
        tell.say(f"{name} version {chosen.version} ({chosen.sha256[:12]}) is in production")


def rollback(name: Name, lake: Lake) -> None:
    """Put the version back into production that was there before."""
    from medray.drivers.job import Job
    from medray.drivers.models.promote import rollback as roll_back
    from medray.storage.uri import normalise

    tell = Narrator()
    with stopped_by_contract(tell):
        chosen = roll_back(normalise(lake), name, Job(today(), tell))
        tell.say(f"back to {name} version {chosen.version} ({chosen.sha256[:12]}), which is in production again")
