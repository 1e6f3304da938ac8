"""The `medray` command."""

from __future__ import annotations

import math
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from medray.commands import nights
from medray.commands.audit import audit
from medray.commands.explain import explain_row
from medray.commands.models import models
from medray.commands.options import Lake
from medray.commands.relink import relink
from medray.commands.status import status
from medray.commands.vacuum import vacuum
from medray.config import load
from medray.entry import night_or_day, stopped_by_contract, today
from medray.narration import Narrator

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Batch processing for deep learning in medicine, on Ray."
)
export = typer.Typer(no_args_is_help=True, help="Write tables of a lake in another format.")
app.add_typer(export, name="export")
app.add_typer(audit, name="audit")
app.add_typer(models, name="models")
RecipePath = Annotated[str, typer.Argument(metavar="RECIPE", help="a TOML file")]
Changes = Annotated[list[str] | None, typer.Option("--set", metavar="a.b=c", help="change a value of the recipe")]
Zone = Annotated[str, typer.Option(help="where the schedule's clock is, such as Europe/Berlin")]
for command in (status, explain_row, relink, vacuum, nights.runs, nights.release, nights.reject):
    app.command()(command)


@app.command()
def demo(
    folder: Annotated[Path, typer.Option(help="where archive, lake and recipes go")] = Path("medray-demo"),
    medmnist: Annotated[
        Path | None, typer.Option(help="a MedMNIST file with a binary label, such as pneumoniamnist.npz")
    ] = None,
) -> None:
    """The whole way on this machine: ingest, train, evaluate, and the next morning's nightly run."""
    from medray.demo.story import tell_story

    tell = Narrator()
    with stopped_by_contract(tell):
        tell_story(folder, medmnist, tell)


@app.command()
def medmnist(
    file: Annotated[Path, typer.Argument(help="a MedMNIST v2 .npz with a binary label, such as pneumoniamnist.npz")],
    folder: Annotated[Path, typer.Option(help="where archive/ and labels.csv go")],
    label: Annotated[str, typer.Option(help="the name of the question")] = "pneumonia",
) -> None:
    """Wrap a MedMNIST file as a DICOM archive with a label file, in the file's own splits."""
    from medray.demo.settings import write_medmnist

    tell = Narrator()
    with stopped_by_contract(tell):
        count = write_medmnist(file, folder, label)
        tell.say(f"wrote {count:,} DICOM files to {folder / 'archive'} and {folder / 'labels.csv'}")


@app.command()
def tables(
    name: Annotated[str, typer.Argument(help="wdbc (breast cancer) or diabetes")],
    folder: Annotated[Path, typer.Option(help="where archive/ and labels.csv go")],
) -> None:
    """Write a classic table of scikit-learn as a record archive with a label file in five folds."""
    from medray.demo.tables import known, write_tables

    tell = Narrator()
    with stopped_by_contract(tell):
        count = write_tables(known(name), folder)
        tell.say(f"wrote {count:,} patients to {folder / 'archive'} and {folder / 'labels.csv'}")


@app.command()
def check(recipe: RecipePath, set_: Changes = None) -> None:
    """Report every mistake in a recipe, without Ray or torch."""
    tell = Narrator()
    with stopped_by_contract(tell):
        checked = load(recipe, set_ or [])
        tell.say(f"{recipe} is a complete {checked.job} recipe ({checked.name})")


@app.command()
def submit(
    recipe: RecipePath,
    address: Annotated[str, typer.Option(help="the dashboard of a Ray head, such as http://host:8265")],
    run_date: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="the night this run is for")] = "",
    scheduled: Annotated[str, typer.Option(metavar="CRON", help="the run is for the night that was due last")] = "",
    time_zone: Zone = "Etc/UTC",
    deadline_s: Annotated[int | None, typer.Option(min=1, help="end the run after so many seconds")] = None,
    set_: Changes = None,
) -> None:
    """Run a recipe on a Ray cluster, follow it, and exit with its exit code."""
    from medray.engine.submit import submit as submit_recipe

    tell = Narrator()
    with stopped_by_contract(tell):
        checked = load(recipe, set_ or [])
        day = night_or_day(run_date, scheduled, time_zone)
        sys.exit(submit_recipe(checked, day, address, tell.say, deadline_s, join=bool(scheduled)))


@app.command()
def schedule(
    recipe: RecipePath,
    cron: Annotated[str, typer.Option(help='five fields, such as "0 2 * * *"')],
    on: Annotated[Literal["kubernetes", "cron"], typer.Option(help="a CronJob, or a line of a crontab")],
    address: Annotated[str, typer.Option(help="the dashboard that takes the runs (cron: this machine if absent)")] = "",
    image: Annotated[str, typer.Option(help="with --on kubernetes: the image of cluster/Dockerfile")] = "",
    time_zone: Zone = "Etc/UTC",
) -> None:
    """Print what runs a nightly recipe every night: for `kubectl apply -f -`, or for a crontab."""
    from medray.schedule.crontab import crontab
    from medray.schedule.kubernetes import as_yaml, cron_job
    from medray.schedule.nights import schedule as schedule_of
    from medray.schedule.order import order, remarks

    with stopped_by_contract(Narrator()):
        checked = load(recipe)
        wanted = order(recipe, checked.job, checked.name, schedule_of(cron, time_zone), address)
        notes = remarks(wanted, datetime.now(UTC).date())
        if on == "kubernetes":
            typer.echo(as_yaml(cron_job(wanted, image), notes), nl=False)
        else:
            typer.echo(crontab(wanted, sys.executable, notes), nl=False)


@app.command()
def locate(
    key: Annotated[str, typer.Argument(help="a source_key, UID or subject_id of the lake")], recipe: RecipePath
) -> None:
    """Find the original of a pseudonym: in the archive, or in the linkage table of an ingest recipe."""
    from medray.drivers.locate import locate as locate_key

    tell = Narrator()
    with stopped_by_contract(tell):
        for kind, original in locate_key(load(recipe), key):
            tell.say(f"{kind}: {original}")


@app.command()
def abandon(
    run_id: Annotated[str, typer.Argument(help="an unfinished plan's run id, or its beginning")], lake: Lake
) -> None:
    """Give up an unfinished plan that can never be finished; its inputs become new again."""
    from medray.drivers.abandon import abandon as abandon_run
    from medray.drivers.job import Job
    from medray.storage.uri import normalise

    tell = Narrator()
    with stopped_by_contract(tell):
        tell.say(f"abandoned: run {abandon_run(normalise(lake), run_id, Job(today(), tell))}")


@export.command("meds")
def export_meds(
    lake: Annotated[str, typer.Argument(help="folder or s3://bucket/prefix of the lake")],
    folder: Annotated[str, typer.Argument(help="an empty folder or s3://bucket/prefix where the dataset goes")],
    salt: Annotated[str, typer.Option(help="of the split, as in a train recipe")],
    tuning: Annotated[float, typer.Option(help="share of the tuning split")],
    held_out: Annotated[float, typer.Option(help="share of the held-out split")],
    name: Annotated[str, typer.Option(help="of the dataset (default: the lake's last part)")] = "",
) -> None:
    """Write a snapshot of the lake's events as a MEDS 0.4 dataset, in the splits of a train recipe."""
    from medray.drivers.export.meds import export_meds as export_events
    from medray.drivers.export.meds_plan import Asked
    from medray.drivers.job import Job
    from medray.engine.session import session
    from medray.storage.uri import normalise

    tell = Narrator()
    with stopped_by_contract(tell):
        source, target = normalise(lake), normalise(folder)
        asked = Asked(name or source.rsplit("/", 1)[-1], salt, tuning, held_out)
        with session():
            export_events(source, target, asked, Job(today(), tell))


@export.command("nifti")
def export_nifti(
    lake: Annotated[str, typer.Argument(help="folder or s3://bucket/prefix of the lake")],
    folder: Annotated[str, typer.Argument(help="folder or s3://bucket/prefix where the files go")],
    series: Annotated[list[str] | None, typer.Option(help="a SeriesInstanceUID of the lake (default: all)")] = None,
    fill: Annotated[float, typer.Option(help="value of padding and of what no slice covers")] = math.nan,
) -> None:
    """Write the volumes of the lake as NIfTI-1 files, one each."""
    from medray.drivers.export.nifti import export_nifti as export_volumes
    from medray.drivers.job import Job
    from medray.engine.session import session
    from medray.storage.uri import normalise

    tell = Narrator()
    with stopped_by_contract(tell), session():
        export_volumes(normalise(lake), normalise(folder), series or [], fill, Job(today(), tell))
