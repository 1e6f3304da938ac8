"""The audit."""

from __future__ import annotations

import sys

import typer

from medray.commands.options import LakeArgument
from medray.entry import stopped_by_contract
from medray.narration import Narrator

audit = typer.Typer(no_args_is_help=True, help="What an auditor asks.")


@audit.command()
def verify(lake: LakeArgument) -> None:
    """Check the audit against the tables' own logs, their files and the model store. Exits 1 where they differ."""
    from medray.drivers.audit import verify as verify_lake
    from medray.storage.snapshot import snapshot
    from medray.storage.store import LAKE
    from medray.storage.uri import normalise

    tell = Narrator()
    with stopped_by_contract(tell):
        found = verify_lake(snapshot(LAKE, normalise(lake)))
        for fault in found.faults:
            tell.warn(fault)
        told = f"{found.commits:,} commits, {found.events:,} events and {found.files:,} files agree"
        if found.faults:
            tell.say(f"{told}; {len(found.faults):,} fault(s)")
            sys.exit(1)
        tell.say(told)


@audit.command("show")
def show(lake: LakeArgument) -> None:
    """Every decision of people and of the gate, oldest first."""
    from rich.table import Table

    from medray.schema.audit import AUDIT
    from medray.storage.snapshot import snapshot
    from medray.storage.store import LAKE
    from medray.storage.uri import normalise

    tell = Narrator()
    with stopped_by_contract(tell):
        rows = snapshot(LAKE, normalise(lake)).table(AUDIT).sort_by("at").to_pylist()
        table = Table("at (UTC)", "event", "about", "version", "by", "run", box=None, pad_edge=False)
        for row in rows:
            if row["event"] not in ("run", "commit"):
                version = "" if row["version"] is None else str(row["version"])
                at = row["at"].isoformat(" ", "seconds")
                table.add_row(at, row["event"], row["name"][:24], version, row["actor"], row["run_id"][:12])
        tell.console.print(table)
