"""Staged rows come back by bucket, in their order, with their words."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from medray.storage import staging
from medray.storage.staging import StagingWriter, read_staged, read_staged_facts, staged_uri, sweep_staging
from medray.storage.store import Store

WORD = pa.dictionary(pa.int32(), pa.string())
SCHEMA = pa.schema([("number", pa.int64()), ("word", WORD), ("text", pa.string())])


def batch(numbers: list[int], words: list[str | None]) -> pa.RecordBatch:
    columns = [pa.array(numbers), pa.array(words, WORD), pa.array([f"t{number}" for number in numbers])]
    return pa.RecordBatch.from_arrays(columns, schema=SCHEMA)


def staged(store: Store, uri: str) -> dict[int, list[tuple[int, str | None]]]:
    facts = read_staged_facts(store, uri)
    assert facts is not None
    found: dict[int, list[tuple[int, str | None]]] = {}
    for number, (bucket, rows) in enumerate(facts["batches"]):
        (read,) = read_staged(store, uri, [number])
        assert read.num_rows == rows
        found.setdefault(bucket, []).extend(zip(read["number"].to_pylist(), read["word"].to_pylist(), strict=True))
    return found


def write(store: Store, uri: str, facts: dict[str, int]) -> staging.Facts:
    with StagingWriter(store, uri, SCHEMA, 3) as writer:
        writer.add(batch([1, 2, 3], ["a", None, "b"]), np.array([2, 0, 2], np.uint16))
        writer.add(batch([4, 5], ["c", "a"]), np.array([0, 2], np.uint16))
        return writer.publish(facts)


@pytest.mark.parametrize("flush", [1, 2**20])
def test_rows_come_back_by_bucket(store: Store, lake: str, monkeypatch: pytest.MonkeyPatch, flush: int) -> None:
    monkeypatch.setattr(staging, "_FLUSH_BYTES", flush)
    uri = staged_uri(lake, "run", "000000.arrow")
    facts = write(store, uri, {"chunk": 7})
    assert read_staged_facts(store, uri) == {**facts, "batches": [list(one) for one in facts["batches"]]}
    assert facts["chunk"] == 7
    assert staged(store, uri) == {0: [(2, None), (4, "c")], 2: [(1, "a"), (3, "b"), (5, "a")]}


def test_long_runs_come_back_by_bucket_too(store: Store, lake: str) -> None:
    uri = staged_uri(lake, "run", "000000.arrow")
    buckets = np.repeat(np.array([2, 0, 2, 1], np.uint16), [150, 80, 100, 70])
    words = [None if number % 3 == 0 else f"w{number % 7}" for number in range(400)]
    with StagingWriter(store, uri, SCHEMA, 3) as writer:
        for start in (0, 190):  # a run that two batches share
            end = 190 if start == 0 else 400
            writer.add(batch(list(range(start, end)), words[start:end]), buckets[start:end])
        writer.publish({})
    expected = {bucket: [(n, words[n]) for n in range(400) if buckets[n] == bucket] for bucket in range(3)}
    assert staged(store, uri) == expected


def test_the_first_file_stands(store: Store, lake: str) -> None:
    uri = staged_uri(lake, "run", "000000.arrow")
    write(store, uri, {"chunk": 1})
    assert write(store, uri, {"chunk": 2})["chunk"] == 1


def test_a_writer_that_is_left_leaves_nothing(store: Store, lake: str) -> None:
    uri = staged_uri(lake, "run", "000000.arrow")
    with StagingWriter(store, uri, SCHEMA, 1) as writer:
        writer.add(batch([1], ["a"]), np.zeros(1, np.uint16))
    assert read_staged_facts(store, uri) is None
    assert list(Path(lake, "staging", "run").iterdir()) == []


def test_a_chunk_without_rows_has_facts(store: Store, lake: str) -> None:
    uri = staged_uri(lake, "run", "000000.arrow")
    with StagingWriter(store, uri, SCHEMA, 1) as writer:
        writer.publish({"chunk": 0})
    assert read_staged_facts(store, uri) == {"chunk": 0, "batches": []}


def test_only_closed_runs_are_swept(store: Store, lake: str) -> None:
    sweep_staging(store, lake, ["nothing"])
    for run in ("open", "closed"):
        write(store, staged_uri(lake, run, "000000.arrow"), {})
    sweep_staging(store, lake, ["closed", "another"])
    assert [path.name for path in Path(lake, "staging").iterdir()] == ["open"]
