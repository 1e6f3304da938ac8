"""One chunk, one file, with its facts in the footer."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from medray.schema.contract import VERSION_FIELD, TableContract
from medray.storage.chunk_file import ChunkWriter, read_facts, write_table
from medray.storage.store import Store

THINGS = TableContract(
    name="things",
    version=3,
    schema=pa.schema(
        [
            pa.field("key", pa.string(), nullable=False),
            pa.field("word", pa.string()),
            pa.field("frames", pa.binary()),
            pa.field("window", pa.list_(pa.float64())),
            pa.field("lut", pa.struct([("first", pa.int32()), ("entries", pa.binary())])),
            pa.field("counts", pa.map_(pa.string(), pa.int64())),
        ]
    ),
    key=("key",),
    statistics=("key",),
)


def batch(*keys: str) -> pa.RecordBatch:
    shared = {"window": [1.0], "lut": {"first": 1, "entries": b"\1"}, "counts": [("a", 1)]}
    rows = [{"key": key, "word": f"w{key}", "frames": key.encode() * 100, **shared} for key in keys]
    return pa.RecordBatch.from_pylist(rows, schema=THINGS.schema)


@pytest.fixture
def uri(tmp_path: Path) -> str:
    return str(tmp_path / "data" / "run" / "000000.parquet")


def files(uri: str) -> list[str]:
    return sorted(path.name for path in Path(uri).parent.iterdir())


def test_facts_survive_in_the_footer(store: Store, uri: str) -> None:
    with ChunkWriter(store, uri, THINGS) as writer:
        writer.write(batch("a", "b"))
        published = writer.publish({"chunk": 7, "bad": [{"reason": "empty"}], "rows": writer.rows})
    assert published == {"chunk": 7, "bad": [{"reason": "empty"}], "rows": 2, "file_bytes": Path(uri).stat().st_size}
    assert read_facts(store, uri) == published
    assert files(uri) == ["000000.parquet"]


def test_the_second_attempt_is_told_the_first_ones_facts(store: Store, uri: str) -> None:
    with ChunkWriter(store, uri, THINGS) as first, ChunkWriter(store, uri, THINGS) as second:
        first.write(batch("a"))
        second.write(batch("a", "b"))
        told = first.publish({"attempt": 1})
        assert second.publish({"attempt": 2}) == told
    assert pq.read_table(uri)["key"].to_pylist() == ["a"]
    assert files(uri) == ["000000.parquet"]


def test_left_without_publish_nothing_remains(store: Store, uri: str) -> None:
    with ChunkWriter(store, uri, THINGS) as writer:
        writer.write(batch("a"))
    assert files(uri) == []
    assert read_facts(store, uri) is None


def test_nothing_remains_when_closing_fails_too(store: Store, uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: object) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"), ChunkWriter(store, uri, THINGS) as writer:
        monkeypatch.setattr(pq.ParquetWriter, "close", full)
    assert files(uri) == []
    monkeypatch.undo()
    del writer  # which closes it in earnest


def test_each_batch_is_one_row_group(store: Store, uri: str) -> None:
    write_table(store, uri, THINGS, [batch("a", "b"), batch(), batch("c")], {})
    file = pq.ParquetFile(uri)
    assert [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)] == [2, 1]
    assert pq.read_table(uri)["key"].to_pylist() == ["a", "b", "c"]


def test_values_come_back_as_they_were(store: Store, uri: str) -> None:
    write_table(store, uri, THINGS, [batch("a", "b")], {})
    assert pq.read_table(uri).cast(THINGS.schema).to_batches()[0].equals(batch("a", "b"))


def test_text_and_bytes_have_no_statistics(store: Store, uri: str) -> None:
    write_table(store, uri, THINGS, [batch("a", "b")], {})
    group = pq.ParquetFile(uri).metadata.row_group(0)
    columns = [group.column(number) for number in range(group.num_columns)]
    assert [column.path_in_schema for column in columns if column.is_stats_set and column.statistics.has_min_max] == [
        "key"
    ]


def test_a_payload_is_not_compressed_again(store: Store, uri: str) -> None:
    with ChunkWriter(store, uri, THINGS, payload="frames") as writer:
        writer.write(batch("a"))
        writer.publish({})
    group = pq.ParquetFile(uri).metadata.row_group(0)
    compression = {group.column(n).path_in_schema: group.column(n).compression for n in range(group.num_columns)}
    assert compression.pop("frames") == "UNCOMPRESSED"
    assert set(compression.values()) == {"SNAPPY"}


def test_the_file_says_which_schema_it_has(store: Store, uri: str) -> None:
    write_table(store, uri, THINGS, [batch("a")], {})
    assert pq.read_schema(uri).metadata[VERSION_FIELD.encode()] == b"3"


def test_other_columns_are_refused(store: Store, uri: str) -> None:
    with pytest.raises(ValueError, match="chema"):
        write_table(store, uri, THINGS, [pa.record_batch({"key": ["a"]})], {})
    assert files(uri) == []
