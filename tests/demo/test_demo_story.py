"""`medray demo`, smaller: it ends with what it promises, and the second call repeats nothing."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import deltalake
import duckdb
import pytest
from rich.console import Console

from medray.demo import story
from medray.demo.cases import synthetic
from medray.demo.settings import Setting
from medray.errors import StorageError
from medray.narration import Narrator

pytestmark = pytest.mark.ray


def _setting(words: str = "SYNTHETIC chests") -> Setting:
    recipe = {
        "side": "24",
        "width": "4",
        "epochs": "2",
        "learning_rate": "0.004",
        "chunk_megabytes": "1",
        "licence": "drawn by medray",
    }
    return Setting(words, synthetic(60, 1, 48), synthetic(5, 2, 48, first_patient=60), "opacity", recipe)


def _tell(folder: Path) -> str:
    heard = StringIO()
    story.tell_story(folder, None, Narrator(Console(file=heard, width=400)))
    return heard.getvalue()


def test_the_story_and_its_second_telling(ray_session: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(story, "setting", lambda file: _setting())
    first = _tell(tmp_path / "demo")
    assert "SYNTHETIC" in first
    assert "5 new studies lie in the archive" in first
    assert "= known 242 + ingested 5 + duplicate 0 + quarantined 0" in first  # 60 + 176 + 6 known
    assert "+ scored 5 + abstained 0 + quarantined 0" in first
    files = deltalake.DeltaTable(tmp_path / "demo" / "lake" / "tables" / "predictions").file_uris()
    counted = duckdb.read_parquet(files).aggregate("status, count(*)").fetchall()
    assert dict(counted)["scored"] == 65
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "demo").rglob("*.parquet")}
    for _ in range(2):  # the second and the third telling
        again = _tell(tmp_path / "demo")
        assert again.count("already done") == 3  # training, evaluation, night
        assert again.count("nothing new") == 2  # ingest, predict
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "demo").rglob("*.parquet")} == before
    monkeypatch.setattr(story, "setting", lambda file: _setting("other images"))
    with pytest.raises(StorageError, match="name another --folder"):
        _tell(tmp_path / "demo")
