"""`medray demo`: the whole way, narrated. Running it again repeats nothing."""

from __future__ import annotations

import json
import secrets
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

from rich.table import Table

from medray.config import load
from medray.demo.archive import LAST_PROBLEM, write_archive, write_studies
from medray.demo.settings import Setting, setting
from medray.dicom.examples import copy_examples
from medray.drivers.job import Job, Result
from medray.engine.session import session
from medray.entry import conclude, driver, today
from medray.errors import StorageError
from medray.narration import Narrator
from medray.schema.predictions import PREDICTIONS
from medray.storage import delta
from medray.storage.snapshot import snapshot
from medray.storage.store import LAKE

_RECIPES = ("ingest", "train", "evaluate", "predict", "nightly")
_ROWS = 6


def tell_story(folder: Path, medmnist: Path | None, tell: Narrator) -> None:
    """Ingest, train on two workers, evaluate, score; then the next morning's nightly run."""
    folder = folder.absolute()
    tell.title("The archive")
    chosen = setting(medmnist)
    tell.say(f"images: {chosen.words}")
    first_day = _first_day(folder, chosen)
    _archive(folder, chosen, first_day, tell)
    recipes = _recipes(folder, chosen)
    with session():
        day = Job(first_day.isoformat(), tell)
        _stage("Ingest: every object ends in exactly one place", recipes["ingest"], day)
        _stage("Train: two distributed workers, on patients of the training split", recipes["train"], day)
        evaluated = _stage("Evaluate: on patients that the network has never seen", recipes["evaluate"], day)
        _metrics(evaluated, tell)
        _stage("Predict: the rest of the archive", recipes["predict"], day)
        tell.title("The next morning")
        new = write_studies(
            folder / "archive" / "next-morning", chosen.tomorrow, first_day=first_day + timedelta(days=1)
        )
        tell.say(f"{len(new)} new studies lie in the archive")
        night = Job((first_day + timedelta(days=1)).isoformat(), tell)
        scored = _stage("Nightly: ingest and score only what is new", recipes["nightly"], night)
    _ending(folder, evaluated, scored, tell)


def _first_day(folder: Path, chosen: Setting) -> date:
    """The day of the demonstration's first run; a later call tells the same story.

    Raises:
        StorageError: the folder holds a demonstration with other images.
    """
    note = folder / "demo.json"
    if not note.exists():
        folder.mkdir(parents=True, exist_ok=True)
        note.write_text(json.dumps({"first_day": today(), "images": chosen.words}))
    told = json.loads(note.read_text())
    if told["images"] != chosen.words:
        raise StorageError(
            f"folder {folder}", f"a demonstration with {told['images']}", chosen.words, "name another --folder"
        )
    return date.fromisoformat(told["first_day"])


def _archive(folder: Path, chosen: Setting, first_day: date, tell: Narrator) -> None:
    if (folder / "archive" / LAST_PROBLEM).exists():
        tell.say(f"the archive stands in {folder / 'archive'}")
        return
    copied = copy_examples(folder / "archive" / "pydicom")
    archive = write_archive(folder, chosen.today, label=chosen.label, first_day=first_day - timedelta(days=400))
    tell.say(
        f"wrote {len(archive.paths):,} radiographs in several transfer syntaxes, {len(copied)} real DICOM files "
        f"of the pydicom package, and {len(archive.problems)} files that are bad on purpose"
    )


def _recipes(folder: Path, chosen: Setting) -> dict[str, str]:
    """Recipe files beside the archive, for the person to read, change and run again."""
    key = folder / "key"
    if not key.exists():
        key.touch(mode=0o600)
        key.write_text(secrets.token_hex(32))
    target = folder / "recipes"
    target.mkdir(exist_ok=True)
    for name in _RECIPES:
        template = files("medray.demo").joinpath("recipes", f"{name}.toml").read_text(encoding="utf-8")
        (target / f"{name}.toml").write_text(_filled(template, folder, chosen))
    return {name: str(target / f"{name}.toml") for name in _RECIPES}


def _filled(template: str, folder: Path, chosen: Setting) -> str:
    words = json.dumps(chosen.words)[1:-1]  # a file's name may hold what ends a text in TOML
    return template.format(folder=folder, label=chosen.label, words=words, **chosen.recipe)


def _stage(title: str, path: str, job: Job) -> Result:
    job.tell.title(title)
    recipe = load(path)
    result: Result = driver(recipe.job)(recipe, job)
    conclude(result, job.tell)
    return result


def _metrics(evaluated: Result, tell: Narrator) -> None:
    for label, found in evaluated.facts["metrics"].items():
        values = found["metrics"]
        shown = (
            f"{name} {values[name]['value']:.3f} ({values[name]['lower']:.3f} to {values[name]['upper']:.3f})"
            for name in ("auroc", "sensitivity", "specificity")
        )
        tell.say(f"{label}: {', '.join(shown)}")


def _ending(folder: Path, evaluated: Result, scored: Result, tell: Narrator) -> None:
    lake = str(folder / "lake")
    tell.title("What it came to")
    for row in sorted(snapshot(LAKE, lake).runs.to_pylist(), key=lambda run: run["committed_at"]):
        counts = ", ".join(f"{name} {count:,}" for name, count in row["counts"])
        tell.say(f"{row['run_date']} {row['job']:<13}{counts}")
    tell.console.print(_first_rows(lake))
    tell.say(f"evaluation report: {evaluated.facts['report']}")
    tell.say(f"nightly report:    {scored.facts['report']}")
    tell.title("Read the predictions with")
    table = delta.table_uri(lake, PREDICTIONS.name)
    listed = f"deltalake.DeltaTable('{table}').file_uris()"
    tell.say(f'python -c "import deltalake, pyarrow.parquet as pq; print(pq.ParquetDataset({listed}).read())"')
    tell.say(f'python -c "import deltalake, pandas; print(pandas.read_parquet({listed}))"')
    tell.say(f'python -c "import deltalake, duckdb; print(duckdb.read_parquet({listed}))"')


def _first_rows(lake: str) -> Table:
    columns = ("subject_id", "label", "status", "probability", "answer", "reason")
    table = Table(*columns, title="The newest predictions", title_justify="left")
    for row in _newest(lake):
        table.add_row(*(str(value) for value in row))
    return table


def _newest(lake: str) -> list[tuple[Any, ...]]:
    names = (
        "run_date",
        "subject_id",
        "label",
        "status",
        "predicted_boolean_probability",
        "predicted_boolean_value",
        "reason",
    )
    rows = (
        snapshot(LAKE, lake)
        .table(PREDICTIONS, names)
        .sort_by([("run_date", "descending"), ("status", "descending")])
        .slice(0, _ROWS)
    )
    return [
        (
            row["subject_id"],
            row["label"],
            row["status"],
            _number(row["predicted_boolean_probability"]),
            row["predicted_boolean_value"],
            row["reason"] or "",
        )
        for row in rows.to_pylist()
    ]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"
