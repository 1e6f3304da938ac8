"""What the report of an ingest says about its chunks."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import story
from image_ingest import drawn, without_ray

from medray.drivers.images import ingest, ingest_page


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Of an archive of 6 objects in 3 chunks."""
    monkeypatch.setenv(story.KEY_VARIABLE, story.KEY)
    without_ray(monkeypatch)
    drawn(tmp_path / "archive", 6)
    document = story.ingest_recipe(str(tmp_path / "lake"), str(tmp_path / "archive"))
    return story.recipe({**document, "chunks": {"objects": 2}})


def _page(recipe: Any) -> str:
    return Path(ingest.ingest_archive(recipe, story.job()).facts["report"]).read_text()


def test_syntaxes_have_their_names(recipe: Any) -> None:
    page = _page(recipe)
    assert "Explicit VR Little Endian" in page
    assert "1.2.840.10008.1.2.1" not in page


def test_the_pace_is_that_of_this_attempt(recipe: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = ingest._commit
    monkeypatch.setattr(ingest, "_commit", _crash)
    with pytest.raises(RuntimeError):
        ingest.ingest_archive(recipe, story.job())
    monkeypatch.setattr(ingest, "_commit", commit)
    chunks = sorted((Path(recipe.lake) / "tables/images/data").rglob("*.parquet"))
    assert len(chunks) == 3
    chunks[1].unlink()  # of which the attempt was still in the middle
    page = _page(recipe)
    assert "Chunks of an earlier attempt" in page
    assert "2 objects in" in page


def test_a_run_of_one_attempt_has_no_earlier_chunks(recipe: Any) -> None:
    page = _page(recipe)
    assert "Chunks of an earlier attempt" not in page
    assert "6 objects in" in page


def test_pictures_are_spread_over_a_file(recipe: Any, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "archive")
    drawn(tmp_path / "archive", 9)  # one more than are in memory at once
    recipe = recipe.model_copy(update={"chunks": recipe.chunks.model_copy(update={"objects": 100})})
    ingest.ingest_archive(recipe, story.job())
    (path,) = (Path(recipe.lake) / "tables/images/data").rglob("*.parquet")
    uids = pq.read_table(path)["SOPInstanceUID"].to_pylist()
    found = [row["SOPInstanceUID"] for row in ingest_page._spread_rows(story.job(), str(path))]
    assert found == [uids[0], uids[4], uids[8]]


def _crash(*_: Any) -> None:
    raise RuntimeError("the machine is gone")
