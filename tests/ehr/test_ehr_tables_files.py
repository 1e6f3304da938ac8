"""Files of every form: the same records from each, and what cannot be trusted."""

from __future__ import annotations

import bz2
import gzip
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pyarrow as pa
import pytest
from ehr.record_archive import counts, file, one_table, parquet, read, rows, tables

from medray.contracts import RecordFile
from medray.ehr.tables import parquet_file
from medray.ehr.tables.source import read_table, subjects
from medray.ehr.tables.spec import SOURCE
from medray.errors import Unusable

CONFIG = one_table('{ code = "A//{a}" }, { code = "B", value = "b" }', optional='["a", "b"]')
PLAIN = "s,a,b\nx,1,2\ny,3,4\n"
EXPECTED = [
    {"row": 0, "subject": "x", "code": "A//1"},
    {"row": 0, "subject": "x", "code": "B", "numeric_value": 2.0},
    {"row": 1, "subject": "y", "code": "A//3"},
    {"row": 1, "subject": "y", "code": "B", "numeric_value": 4.0},
]
# data rows: 0 good, 1 short, 2 good (quoted), 3 long, 4 good, 5 short, 6 good; blank lines are none
DAMAGED = 's,a,b\nx,1,2\nshort\n\n"y","3 ""three""",4\n1,2,3,4\nz,5,6\n\nshort,\nu,7,8\n'
NUMBERED = [(0, None), (1, "malformed"), (2, None), (3, "malformed"), (4, None), (5, "malformed"), (6, None)]


@pytest.mark.parametrize(
    "content",
    [
        PLAIN.encode(),
        b"\xef\xbb\xbf" + PLAIN.encode(),
        PLAIN.replace("\n", "\r\n").encode(),
        PLAIN.rstrip().encode(),
        b's,a,b\n"x","1","2"\n"y",3,4\n\n',
        gzip.compress(PLAIN.encode(), mtime=0),
        gzip.compress(b"s,a,b\nx,1,2\n", mtime=0) + gzip.compress(b"y,3,4\n", mtime=0),
        bz2.compress(PLAIN.encode()),
        pa.compress(PLAIN.encode(), codec="zstd", asbytes=True),
    ],
)
def test_text_of_every_form(content: bytes) -> None:
    assert rows(file("t.csv", content), CONFIG) == EXPECTED


def test_delimiters_and_encodings() -> None:
    assert rows(file("t.tsv.gz", gzip.compress(PLAIN.replace(",", "\t").encode())), CONFIG) == EXPECTED
    semicolons = one_table('{ code = "{a}" }', delimiter='";"', encoding='"latin-1"')
    assert rows(file("t.csv", "s;a\nx;Größe, groß\n".encode("latin-1")), semicolons)[0]["code"] == "Größe, groß"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (gzip.compress(b"", mtime=0), "empty"),
        (gzip.compress(PLAIN.encode() * 100, mtime=0)[:-9], "truncated"),
        (gzip.compress(PLAIN.encode(), mtime=0)[:7], "truncated"),
        (bz2.compress(PLAIN.encode())[:-4], "truncated"),
        (gzip.compress(PLAIN.encode(), mtime=0)[:-8] + b"12345678", "malformed"),
        (gzip.compress(PLAIN.encode(), mtime=0) + b"more", "malformed"),
        (b"s,a,b\nx,\xff,2\n", "not_text"),
        (b"s,a,b\n\xff\n", "not_text"),
        (PLAIN.encode("utf-16"), "not_text"),
        (b"id,a,b\nx,1,2\n", "no_columns"),
        (b's,"a,b\nx,1,2\n', "malformed"),
        (b"PAR1 but no more", "malformed"),
    ],
)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # pyarrow's own
def test_files_that_cannot_be_trusted(content: bytes, reason: str) -> None:
    with pytest.raises(Unusable) as raised:
        read(file("t.csv", content), CONFIG)
    assert raised.value.reason == reason


def test_a_line_longer_than_blocks() -> None:
    with pytest.raises(Unusable, match="malformed"):
        read(file("t.csv", "s,a,b\nx,1," + "2" * 13_000_000 + "\ny,3,4\n"), CONFIG)


def test_a_truncated_gzip_is_told_however_far_it_was_read() -> None:
    content = "s,a,b\n" + "".join(f"x,{i},{i * 7919 % 10007}\n" for i in range(900_000))
    found = iter_read(file("t.csv.gz", gzip.compress(content.encode(), 1)[:-100]))
    assert next(found).source_rows > 0
    with pytest.raises(Unusable, match="truncated"):
        list(found)


def iter_read(item: RecordFile) -> Iterator[Any]:
    return SOURCE.read(item, "t", 0, CONFIG)


def test_a_store_that_fails_is_not_the_files_fault() -> None:
    def broken() -> pa.NativeFile:
        raise OSError("connection reset")

    with pytest.raises(OSError, match="connection reset"):
        read(RecordFile("t.csv", 10, broken), CONFIG)


def test_header_without_rows() -> None:
    assert counts(read(file("t.csv", "s,a,b\n"), CONFIG)) == (0, 0, 0)


@pytest.mark.parametrize("block_bytes", [32, 40, 64, 1000])
@pytest.mark.parametrize("candidates", [1, 2, 5, 1000])
def test_malformed_rows_stand_at_their_place(block_bytes: int, candidates: int) -> None:
    config = one_table('{ code = "A//{a}" }')
    (table,) = config.tables
    found = list(read_table(file("t.csv", DAMAGED), 0, table, {}, block_bytes, candidates))
    records = [row for part in found for row in part.rows.to_pylist()]
    assert [(row["row"], row["reason"]) for row in records] == NUMBERED
    assert [row["code"] for row in records] == ["A//1", None, 'A//3 "three"', None, "A//5", None, "A//7"]
    assert sum(part.source_rows for part in found) == 7


def test_only_malformed_rows() -> None:
    assert counts(read(file("t.csv", "s,a,b\n1\n2\n"), CONFIG)) == (2, 2, 0)
    assert rows(file("t.csv", "s,a,b\n1\n2\n"), CONFIG) == [{"row": row, "reason": "malformed"} for row in (0, 1)]


@pytest.mark.parametrize("block_bytes", [100, 1000, 10**6])
@pytest.mark.parametrize("candidates", [2, 34, 10**6])
def test_sizes_of_blocks_change_nothing(block_bytes: int, candidates: int) -> None:
    content = "s,a,b\n" + "".join(f"x{i % 7},{i % 5 or ''},{i if i % 11 else 'bad'}\n" for i in range(100))
    (table,) = CONFIG.tables
    found = list(read_table(file("t.csv", content), 0, table, {}, block_bytes, candidates))
    expected = []
    for i in range(100):
        expected += [(i, f"A//{i % 5}", None, None)] if i % 5 else []
        expected += [(i, "B", float(i), None) if i % 11 else (i, "B", None, "not_numeric")]
    records = [row for part in found for row in part.rows.to_pylist()]
    assert [(row["row"], row["code"], row["numeric_value"], row["reason"]) for row in records] == expected
    assert counts(found) == (100, 180, 20)
    assert all(part.rows.num_rows <= max(candidates, 2) for part in found)


def typed() -> pa.Table:
    return pa.table(
        {
            "s": pa.array([10000001, 2, None, 4, 5], pa.int32()),
            "a": pa.array(["p", "", None, "q", "q"]).dictionary_encode(),
            "b": pa.array([1.5, float("nan"), -1.0, float("inf"), 2.0], pa.float32()),
            "t": pa.array([datetime(2101, 1, day) for day in range(1, 6)], pa.timestamp("ns", "UTC")),
        }
    )


TYPED = one_table('{ code = "A//{a}", time = "t" }, { code = "B", value = "b", missing = { b = "-1" } }')
TYPED_ROWS = [
    {"row": 0, "subject": "10000001", "code": "A//p", "time": datetime(2101, 1, 1)},
    {"row": 0, "subject": "10000001", "code": "B", "numeric_value": 1.5},
    {"row": 3, "subject": "4", "code": "A//q", "time": datetime(2101, 1, 4)},
    {"row": 3, "subject": "4", "code": "B", "reason": "not_numeric"},
    {"row": 4, "subject": "5", "code": "A//q", "time": datetime(2101, 1, 5)},
    {"row": 4, "subject": "5", "code": "B", "numeric_value": 2.0},
]


@pytest.mark.parametrize("rows_per_group", [1, 2, 5])
@pytest.mark.parametrize("part_bytes", [1, 500, 10**9])
def test_typed_columns_in_any_number_of_parts(
    rows_per_group: int, part_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet_file, "PART_BYTES", part_bytes)
    item = parquet("t.parquet", typed(), rows_per_group)
    parts = SOURCE.parts(item, "t", TYPED)
    assert parts == {1: -(-5 // rows_per_group), 10**9: 1}.get(part_bytes, parts)
    assert rows(item, TYPED) == TYPED_ROWS
    assert counts(read(item, TYPED)) == (5, 6, 4)


def test_texts_of_any_arrow_type() -> None:
    for kind in (pa.large_string(), pa.string()):
        table = pa.table({"s": pa.array(["x", ""], kind), "a": pa.array(["1", "2"], kind), "b": ["7", ""]})
        found = rows(parquet("t.parquet", table), one_table('{ code = "A//{a}//{b|none}" }'))
        assert found == [{"row": 0, "subject": "x", "code": "A//1//7"}, {"row": 1, "code": "A//2//none"}]


def test_parquet_without_rows_and_without_columns() -> None:
    assert counts(read(parquet("t.parquet", typed().slice(0, 0)), TYPED)) == (0, 0, 0)
    with pytest.raises(Unusable, match=r"no_columns \(lacks b\)"):
        read(parquet("t.parquet", typed().drop_columns("b")), TYPED)


def test_columns_that_hold_no_such_thing() -> None:
    lists = pa.table({"s": ["x"], "a": [[1, 2]], "b": [1.0], "t": [datetime(2101, 1, 1)]})
    with pytest.raises(Unusable, match="malformed"):
        read(parquet("t.parquet", lists), TYPED)


def test_which_table_a_file_is() -> None:
    config = tables(
        '[[tables]]\nname="labs"\nfiles=["LABEVENTS.csv*", "labs/*.parquet"]\nsubject="s"\nevents=[{code="L"}]\n'
        '[[tables]]\nname="rest"\nfiles="*.csv"\nsubject="s"\nevents=[{code="R"}]'
    )
    names = {
        "LABEVENTS.csv": "labs", "a/b/LABEVENTS.csv.gz": "labs", "labevents.csv": "rest", "x/labs/0.parquet": "labs",
        "labs/deep/0.parquet": None, "D_LABEVENTS.csv": "rest", "LICENSE.txt": None,
    }  # fmt: skip
    assert {name: SOURCE.table_of(name, config) for name in names} == names


def test_the_crosswalk_of_an_archive() -> None:
    config = tables(
        '[[tables]]\nname="t"\nfiles="t.csv"\nsubject="s"\nevents=[{code="C"}]\n'
        '[subjects]\nfiles="patient.csv"\nsubject="stay"\nshared="mrn"'
    )
    files = [
        file("a/patient.csv", "mrn,stay\nM1,1\nM1,2\n,3\nM4,\n"),
        file("patient.csv", "stay,mrn\n5,M5\n"),
        file("t.csv", ""),
    ]
    assert subjects(files, config) == {"1": "M1", "2": "M1", "5": "M5"}
    assert subjects(files, CONFIG) is None
