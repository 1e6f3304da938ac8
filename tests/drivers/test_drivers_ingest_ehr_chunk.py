"""The workers of a record ingest bear repetition, and tell bad files from bad stores."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from medray.contracts import RECORDS, RecordFile, Records, RecordSource, SourceObject
from medray.drivers.pseudonyms import pseudonyms_of
from medray.drivers.records.bucket import Rules
from medray.drivers.records.ingest_plan import bucket_tasks
from medray.drivers.records.map_chunk import FilePart, MapWork, RecordChunk
from medray.drivers.records.reduce_bucket import ReduceWork
from medray.errors import StorageError, Unusable
from medray.recipes.ingest import Deidentify
from medray.storage.chunk_file import Facts
from medray.storage.linkage import commit_linkage, originals
from medray.storage.store import LAKE

READ: list[tuple[str, int]] = []


def read(file: RecordFile, table: str, part: int, config: Any, found: Any) -> Iterator[Records]:
    """A file is lines `subject,value`; other lines are damage."""
    READ.append((file.name, part))
    with file.open() as stream:
        lines = stream.read().decode().splitlines()
    for row, line in enumerate(lines):
        if line == "cut":
            raise Unusable("truncated", f"{len(lines)} lines")
        if line == "damaged":
            raise OSError("what a decompressor says")
        subject, value = line.split(",")
        record = {
            "row": row, "subject": subject or None, "code": "HR", "numeric_value": float(value),
            "defines_encounter": False, "withdrawn": False,
        }  # fmt: skip
        yield Records(pa.RecordBatch.from_pylist([record], schema=RECORDS), empty=row % 2, source_rows=1)


LINES = RecordSource("lines", lambda name, config: "t", lambda *_: 1, read, lambda *_: None, lambda *_: None)


@pytest.fixture
def work(tmp_path: Path) -> MapWork:
    READ.clear()
    (tmp_path / "key").write_text("k" * 64)
    (tmp_path / "archive").mkdir()
    return MapWork(
        source=LINES, config=SimpleNamespace(uri=str(tmp_path / "archive")), listing=(), issuer="H", as_of=None,
        crosswalk=None, deidentify=Deidentify(profile="basic", key=f"file:{tmp_path / 'key'}"), store=LAKE,
        lake=str(tmp_path / "lake"), run_id="run", buckets=4, linkage=None,
    )  # fmt: skip


def part(work: MapWork, file: int, text: str, listed: int | None = None) -> FilePart:
    path = Path(work.config.uri) / f"{file}.txt"
    path.write_text(text)
    return FilePart(file, SourceObject(str(path), listed or len(text), "e"), "t", 0)


def reduction(work: MapWork, facts: Facts, unusable: tuple[int, ...] = ()) -> list[Facts]:
    files = pa.table({"source_key": ["a", "b"], "source_etag": ["e", "e"], "size_bytes": [1, 1]})
    reducing = ReduceWork(LAKE, work.lake, work.run_id, files, unusable, (), Rules("any", "supersede"))
    return [reducing(task) for task in bucket_tasks([facts], work.buckets, 96e6)]


def test_a_chunk_is_not_read_twice(work: MapWork) -> None:
    chunk = RecordChunk(0, (part(work, 0, "p1,1\np2,2\n,3\n"), part(work, 1, "p1,4\n")))
    facts = work(chunk)
    assert json.loads(json.dumps(work(chunk))) == json.loads(json.dumps(facts))
    assert READ == [("0.txt", 0), ("1.txt", 0)]
    first = facts["files"]["0"]
    assert (first["source_rows"], first["candidates"], first["empty"]) == (3, 4, 1)
    assert first["refused"] == {"missing_subject": 1}
    assert sum(rows for bucket, rows in facts["batches"] if bucket < 4) == 3
    assert [rows for bucket, rows in facts["batches"] if bucket == 4] == [1]


@pytest.mark.parametrize(
    ("text", "listed", "reason"),
    [
        ("p1,1\ncut", None, ("truncated", "2 lines")),
        ("p1,1\ndamaged", None, ("malformed", "its compression or its pages are damaged")),
        ("p1,1", 99, ("unreadable", "another size than listed (99 bytes)")),
    ],
)
def test_a_file_that_cannot_be_trusted_is_marked(
    work: MapWork, text: str, listed: int | None, reason: tuple[str, str]
) -> None:
    facts = work(RecordChunk(0, (part(work, 0, text, listed), part(work, 1, "p1,4\n"))))
    assert facts["files"]["0"]["unusable"] == reason
    assert facts["files"]["1"]["unusable"] is None
    kept = [fact["events"]["rows"] for fact in reduction(work, facts, unusable=(0,)) if fact.get("events")]
    assert kept == [1]


def test_a_file_that_is_gone_is_marked(work: MapWork) -> None:
    gone = part(work, 0, "p1,1\n")
    assert gone.item is not None
    Path(gone.item.uri).unlink()
    facts = work(RecordChunk(0, (gone, FilePart(1, None, "t", 0))))
    assert [facts["files"][name]["unusable"][0] for name in ("0", "1")] == ["unreadable", "unreadable"]


def test_a_failing_store_stops_the_job(work: MapWork, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("medray.drivers.records.files._can_be_read", lambda file: False)
    with pytest.raises(StorageError):
        work(RecordChunk(0, (part(work, 0, "p1,1\ndamaged"),)))
    assert not list((Path(work.lake) / "staging").rglob("*.arrow"))


def looks(*results: Exception | None) -> RecordSource:
    """A source whose readings end so, one after another; None: with all rows."""
    left = iter(results)

    def read_once(*arguments: Any) -> Iterator[Records]:
        error = next(left)
        yield from read(*arguments)
        if error is not None:
            raise error

    return replace(LINES, read=read_once)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (Unusable("truncated"), None),
        (OSError("what a decompressor says"), None),
        (Unusable("truncated"), Unusable("malformed")),
        (Unusable("no_columns", "lacks a"), Unusable("no_columns", "lacks b")),
        (Unusable("truncated"), OSError("the store fails")),
    ],
)
def test_a_file_is_given_up_when_two_looks_agree_and_not_before(
    work: MapWork, first: Exception, second: Exception | None
) -> None:
    chunk = RecordChunk(0, (part(work, 0, "p1,1\n"),))
    with pytest.raises(StorageError, match="on a second look could, or not for that reason"):
        replace(work, source=looks(first, second))(chunk)
    facts = replace(work, source=looks(first, first))(chunk)
    assert facts["files"]["0"]["unusable"] is not None
    assert work(RecordChunk(1, (part(work, 0, "p1,1\n"),)))["files"]["0"]["unusable"] is None


@pytest.mark.parametrize("needed", ["subjects", "lookups"])
def test_files_that_others_are_read_with_must_be_whole(work: MapWork, needed: str) -> None:
    def read_all(files: Any, config: Any) -> None:
        raise Unusable("truncated")

    broken = replace(work, source=replace(LINES, **{needed: read_all}), run_id="other")
    with pytest.raises(StorageError, match="which cannot be used: truncated"):
        broken(RecordChunk(0, (part(work, 0, "p1,1"),)))


def test_a_bucket_is_decided_once(work: MapWork) -> None:
    facts = work(RecordChunk(0, (part(work, 0, "p1,1\np1,1\np2,2\n,3\n"),)))
    decided = reduction(work, facts)
    stamps = {path: path.stat().st_mtime_ns for path in Path(work.lake).rglob("*.parquet")}
    assert len(stamps) == 3  # events, the duplicate, the row without subject
    assert reduction(work, facts) == decided
    for path in Path(work.lake).rglob("*.json"):  # an attempt that died between its files and its facts
        path.unlink()
    assert json.loads(json.dumps(reduction(work, facts))) == json.loads(json.dumps(decided))
    assert {path: path.stat().st_mtime_ns for path in stamps} == stamps
    assert sum((fact.get("fates", {}).get("0", [0] * 6)[0] for fact in decided), 0) == 2


def test_neighbouring_buckets_are_put_together(work: MapWork) -> None:
    facts = work(RecordChunk(0, (part(work, 0, "".join(f"p{i},1\n" for i in range(100))),)))
    assert [task.name for task in bucket_tasks([facts], 4, 96e6)] == ["00000-of-00001"]
    several = bucket_tasks([facts], 4, 64 * 60 * 3 / 2)  # 60 rows of 64 bytes, of which a bucket takes two thirds
    assert [task.name for task in several] == ["00000-of-00002", "00001-of-00002"]
    assert [len(task.staged[0].numbers) for task in several] == [2, 2]


def test_links_lead_back_to_subjects_and_files(work: MapWork, tmp_path: Path) -> None:
    place = str(tmp_path / "linkage")
    linked = replace(work, linkage=place)
    chunk = RecordChunk(0, (part(work, 0, "p1,1\n"),))
    linked(chunk)
    commit_linkage(place, SimpleNamespace(run_id="run", chunks=1, planned_at=datetime(2026, 1, 1)))  # type: ignore[arg-type]
    mine = pseudonyms_of(work.deidentify)
    assert originals(place, str(mine.subject_id("H", "p1"))) == [("subject", "p1^^^H")]
    assert chunk.parts[0].item is not None
    uri = chunk.parts[0].item.uri
    assert originals(place, mine.source_key(uri)) == [("source", uri)]
