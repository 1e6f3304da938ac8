"""The `medray` command."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Annotated

import typer

from medray.commands import models, nights
from medray.commands.audit import audit
from medray.commands.options import Lake
from medray.config import load
from medray.entry import stopped_by_contract, today
from medray.narration import Narrator

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Batch processing for deep learning in medicine, on Ray."
)
export = typer.Typer(no_args_is_help=True, help="Write tables of a lake in another format.")
app.add_typer(export, name="export")
app.add_typer(audit, name="audit")
RecipePath = Annotated[str, typer.Argument(metavar="RECIPE", help="a TOML file")]
Changes = Annotated[list[str] | None, typer.Option("--set", metavar="a.b=c", help="change a value of the recipe")]
for command in (nights.runs, nights.release, nights.reject, models.promote, models.rollback):
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
    set_: Changes = None,
) -> None:
    """Run a recipe on a Ray cluster, follow it, and exit with its exit code."""
    from medray.engine.submit import submit as submit_recipe

    tell = Narrator()
    with stopped_by_contract(tell):
        sys.exit(submit_recipe(load(recipe, set_ or []), run_date or today(), address, tell.say))


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
