"""`medray relink`: predictions with their original identifiers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import typer

from medray.config import load
from medray.entry import stopped_by_contract, today
from medray.narration import Narrator


def relink(
    recipe: Annotated[str, typer.Argument(metavar="RECIPE", help="of the ingest, with [linkage]: a TOML file")],
    output: Annotated[str, typer.Argument(help="a new file outside the lake: .parquet or .csv")],
    run: Annotated[str | None, typer.Option(help="run_id of the predictions, or its beginning")] = None,
    since: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="first run date")] = None,
    until: Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="last run date")] = None,
    label: Annotated[str | None, typer.Option(help="the question")] = None,
    model: Annotated[str | None, typer.Option(help="a model's name, or the beginning of a model_sha256")] = None,
    dates: Annotated[bool, typer.Option(help="with true prediction times; the key must be readable here")] = True,
) -> None:
    """Write predictions with original identifiers; who did it, and how many, stands in the audit first."""
    from medray.drivers.job import Job
    from medray.drivers.operate.relink import Chosen
    from medray.drivers.operate.relink import relink as relink_predictions

    tell = Narrator()
    with stopped_by_contract(tell):
        chosen = Chosen(run, since.date() if since else None, until.date() if until else None, label, model)
        given = relink_predictions(load(recipe), output, chosen, Job(today(), tell), dates=dates)
        tell.say(f"wrote {given.rows:,} predictions of {given.subjects:,} subjects; audited as run {given.run_id[:12]}")
        if given.without:
            tell.warn(f"{given.without:,} of them lack an original: they were ingested without a linkage table")
