"""The same recipes on folders and on S3: the same answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import story

from medray.drivers.explain.explain import explain
from medray.drivers.explain.question import Question
from medray.drivers.images.ingest import ingest_archive
from medray.drivers.job import Result
from medray.drivers.models.predict import predict
from medray.drivers.models.train import train
from medray.drivers.night.nightly import nightly
from medray.drivers.operate.relink import Chosen, relink
from medray.schema.predictions import PREDICTIONS
from medray.schema.quarantine import QUARANTINE
from medray.storage.linkage import originals
from medray.storage.snapshot import snapshot
from medray.storage.store import LAKE
from medray.storage.uri import join

pytestmark = [pytest.mark.ray, pytest.mark.s3]

# What follows from where the lake lies, or from when: ids of runs, hash of the recipe, the clock.
OF_THE_PLACE = ("run_id", "recipe_sha256", "scored_at")


def upload(folder: Path, bucket: str) -> None:
    """Every file below the folder becomes an object of the bucket."""
    for item in LAKE.walk(str(folder)):
        LAKE.replace(bucket + item.uri.removeprefix(str(folder)), Path(item.uri).read_bytes())


def tell_story(folder: Path, place: str, linkage: str, come_in: Callable[[], None]) -> list[Result]:
    """Ingest, train, predict; then the next morning's nightly run. Archive and lake lie in `place`."""
    archive, lake = join(place, "archive"), join(place, "lake")
    ingest = story.ingest_recipe(lake, archive, str(folder / "labels.csv"), linkage={"uri": linkage})
    day = story.job()
    results: list[Result] = [
        ingest_archive(story.recipe(ingest), day),
        train(story.recipe(story.train_recipe(lake)), day),
        predict(story.recipe(story.predict_recipe(lake)), day),
    ]
    come_in()
    return [*results, nightly(story.recipe(story.nightly_recipe(lake, archive)), story.job(story.NIGHT))]


def predictions(place: str) -> pa.Table:
    table = snapshot(LAKE, join(place, "lake")).table(PREDICTIONS).drop_columns(list(OF_THE_PLACE))
    return table.sort_by([("SOPInstanceUID", "ascending"), ("label", "ascending")])


def reasons(place: str) -> list[str]:
    return sorted(snapshot(LAKE, join(place, "lake")).table(QUARANTINE, ("reason",))["reason"].to_pylist())


def sums(results: list[Result]) -> list[Any]:
    return [[part.counts() for part in result.sums] for result in results]


def test_s3_and_folders_answer_alike(
    ray_session: object, bucket: str, new_bucket: Callable[[str], str], tmp_path: Path
) -> None:
    folder = tmp_path / "site"
    story.archive(folder)
    upload(folder / "archive", join(bucket, "archive"))

    def morning_here() -> None:
        story.next_morning(folder / "archive")

    def morning_there() -> None:
        upload(folder / "archive" / "next-morning", join(bucket, "archive", "next-morning"))

    here = tell_story(folder, str(folder), str(tmp_path / "linkage"), morning_here)
    there = tell_story(folder, bucket, linkage := new_bucket("linkage"), morning_there)

    assert [result.status for result in there] == ["done"] * 4
    assert sums(there) == sums(here)
    assert reasons(bucket) == reasons(str(folder))
    assert there[1].facts["model_sha256"] == here[1].facts["model_sha256"]
    assert predictions(bucket).num_rows == story.IMAGES + 4
    assert predictions(bucket).equals(predictions(str(folder)))
    subject = str(predictions(bucket)["subject_id"][0].as_py())
    assert originals(linkage, subject) == originals(str(tmp_path / "linkage"), subject) != []
    explained(join(bucket, "lake"), there[3].run_ids[0])
    recipe = story.recipe(story.ingest_recipe(join(bucket, "lake"), "unread", linkage={"uri": linkage}))
    given = relink(recipe, str(tmp_path / "originals.csv"), Chosen(until=date.fromisoformat(story.DAY)), story.job())
    assert (given.rows, given.without) == (story.IMAGES, 0)


def explained(lake: str, night: str) -> None:
    """A row of the night, made again from the bucket."""
    rows = snapshot(LAKE, lake).table(PREDICTIONS).to_pylist()
    row = next(row for row in rows if row["run_date"].isoformat() == story.NIGHT)
    found = explain(lake, Question(image=row["SOPInstanceUID"]), story.job(), rebuild=True)
    assert found.facts["rebuild"]["same"], found.facts["rebuild"]
    assert list(found.facts["nights"]) == [night]
    assert found.facts["nights"][night].startswith(f"night of {story.NIGHT}, ")
