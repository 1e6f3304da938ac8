"""Cells of a label file become keyed, typed answers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pyarrow as pa
import pytest

from medray.errors import LabelError
from medray.planning.label_rows import keyed_rows, whole_keys
from medray.privacy.pseudonyms import Pseudonyms
from medray.recipes.ingest import LabelFile
from medray.schema.labels import INPUT_KEYS, LABELS

PSEUDONYMS = Pseudonyms(b"0123456789abcdef0123456789abcdef")
MIDNIGHT = datetime(2026, 1, 1)


def read(
    columns: Mapping[str, Any], kinds: dict[str, str], key: str = "path", **changes: Any
) -> tuple[list[dict[str, Any]], int]:
    file = LabelFile.model_validate(
        {"uri": "/labels.csv", "key": key, "key_column": "key", "columns": kinds, **changes}
    )
    return keyed_rows(pa.table(dict(columns)), file, "s3://archive/images", PSEUDONYMS, MIDNIGHT)


def values(kind: str, *cells: Any, **changes: Any) -> list[Any]:
    keys = [f"{number}" for number in range(len(cells))]
    rows, _ = read({"key": keys, "q": list(cells)}, {"q": kind}, **changes)
    return [row[f"{kind}_value"] for row in rows]


@pytest.mark.parametrize(
    ("key", "cell", "column", "value"),
    [
        ("path", "a/1.dcm", "source_key", PSEUDONYMS.source_key("s3://archive/images/a/1.dcm")),
        ("path", "/a/1.dcm", "source_key", PSEUDONYMS.source_key("s3://archive/images/a/1.dcm")),
        ("SOPInstanceUID", " 1.2.3", "SOPInstanceUID", PSEUDONYMS.uid("1.2.3")),
        ("StudyInstanceUID", "1.2.3", "StudyInstanceUID", PSEUDONYMS.uid("1.2.3")),
        ("PatientID", "doe1", "subject_id", PSEUDONYMS.subject_id("", "DOE1")),
    ],
)
def test_every_kind_of_key_is_a_pseudonym(key: str, cell: str, column: str, value: Any) -> None:
    rows, missing = read({"key": [cell], "q": ["1"]}, {"q": "boolean"}, key)
    (row,) = rows
    keys = {name: row[name] for name in ("source_key", "SOPInstanceUID", "StudyInstanceUID", "subject_id")}
    assert {name: found for name, found in keys.items() if found is not None} == {column: value}
    assert (row["label"], row["boolean_value"], missing) == ("q", True, 0)
    assert row["labelled_at"] == PSEUDONYMS.shift(value, MIDNIGHT)
    assert 1 <= (MIDNIGHT - row["labelled_at"]).days <= 364


def test_the_order_of_answers_to_one_key_survives_the_shift() -> None:
    cells = {"key": ["a", "a", "b"], "q": ["0", "1", "1"], "at": ["2026-01-01", "2026-01-03", "2026-01-01"]}
    rows, _ = read(cells, {"q": "boolean"}, labelled_at="at")
    assert (rows[1]["labelled_at"] - rows[0]["labelled_at"]).days == 2
    assert rows[0]["labelled_at"] != rows[2]["labelled_at"]  # keys do not share a constant


def test_an_empty_key_is_told_by_its_line() -> None:
    with pytest.raises(LabelError, match=r"1 empty key\(s\) \(lines 3\)"):
        read({"key": ["a", ""], "q": ["1", "1"]}, {"q": "boolean"})


def test_rows_fit_the_table() -> None:
    rows, _ = read({"key": ["a"], "q": ["1"], "r": ["2.5"]}, {"q": "boolean", "r": "float"})
    table = pa.Table.from_pylist([{**row, "run_id": "r"} for row in rows], schema=LABELS.schema)
    assert table["label"].to_pylist() == ["q", "r"]
    assert set(rows[0]) == set(LABELS.schema.names) - {"run_id", "input_version", "observed", "withdrawn"}


@pytest.mark.parametrize(("cell", "text"), [(132539.0, "132539"), (132539, "132539"), (0.5, "0.5")])
def test_a_key_that_is_a_number_is_its_text(cell: float, text: str) -> None:
    (row,), _ = read({"key": pa.array([cell]), "q": ["1"]}, {"q": "boolean"}, "PatientID")
    assert row["subject_id"] == PSEUDONYMS.subject_id("", text)
    with pytest.raises(LabelError, match="empty key"):
        read({"key": pa.array([float("nan")]), "q": ["1"]}, {"q": "boolean"}, "PatientID")


def test_keys_of_a_text_file_can_be_read_as_the_whole_numbers_that_they_were() -> None:
    file = LabelFile.model_validate(
        {"uri": "/l.csv", "key": "PatientID", "key_column": "key", "columns": {"q": "float"}}
    )
    table = pa.table({"key": ["132539.0", "7.00", "7.5", "1.2.0", "a.0"], "q": ["1.0"] * 5})
    assert whole_keys(table, file).to_pydict() == {"key": ["132539", "7", "7.5", "1.2.0", "a.0"], "q": ["1.0"] * 5}
    assert whole_keys(pa.table({"key": [1.5]}), file)["key"].to_pylist() == [1.5]


def test_cells_are_read_by_their_kind() -> None:
    assert values("boolean", "1", "true", "YES", "1.0", "0", "False", "no", "0.0") == [True] * 4 + [False] * 4
    assert values("integer", "3", " -4 ", "0") == [3, -4, 0]
    assert values("float", "3", "-4.5", "1e3") == [3.0, -4.5, 1000.0]
    assert values("categorical", "train", " held_out ") == ["train", "held_out"]


def test_cells_of_a_typed_file_are_read_alike() -> None:
    assert values("boolean", True, False) == [True, False]
    assert values("integer", 3, 4) == [3, 4]
    assert values("float", 2.5, 1.0) == [2.5, 1.0]


def test_empty_cells_and_declared_words_are_no_answer() -> None:
    cells = {"key": ["a", "b", "c", "d"], "q": ["1", "", None, "uncertain"], "r": ["", "", "", "x"]}
    rows, missing = read(cells, {"q": "boolean", "r": "categorical"}, missing=["uncertain"])
    assert [(row["label"], row["boolean_value"], row["categorical_value"]) for row in rows] == [
        ("q", True, None),
        ("r", None, "x"),
    ]
    assert missing == 6


@pytest.mark.parametrize(
    ("kind", "cell"),
    [
        ("boolean", "2"),
        ("boolean", "maybe"),
        ("integer", "1.5"),
        ("integer", "9" * 30),
        ("float", "high"),
        ("float", "nan"),
        ("float", "inf"),
    ],
)
def test_a_value_of_another_kind_is_told_by_its_line(kind: str, cell: str) -> None:
    with pytest.raises(LabelError, match=rf"1 value\(s\) that are not {kind} \(lines 3\)") as raised:
        read({"key": ["a", "b"], "q": ["1", cell]}, {"q": kind})
    assert cell not in str(raised.value)


def test_lines_are_those_of_the_file() -> None:
    with pytest.raises(LabelError, match=r"7 value\(s\).*lines 2, 3, 4, 5, 6\)"):
        values("integer", *["x"] * 7)


def test_the_time_of_an_answer_may_be_given() -> None:
    cells = {
        "key": ["a", "b", "c"],
        "q": ["1"] * 3,
        "at": ["2026-01-31", "2026-01-31T12:30:00", "2026-01-31T12:30:00+02:00"],
    }
    rows, _ = read(cells, {"q": "boolean"}, labelled_at="at")
    given = [datetime(2026, 1, 31), datetime(2026, 1, 31, 12, 30), datetime(2026, 1, 31, 10, 30)]
    keys = [next(row[name] for name in INPUT_KEYS if row[name] is not None) for row in rows]
    assert [row["labelled_at"] for row in rows] == [
        PSEUDONYMS.shift(key, at) for key, at in zip(keys, given, strict=True)
    ]


@pytest.mark.parametrize(
    "cell", ["yesterday", None, "31.01.2026", "0001-01-01", "0001-01-01T00:00:00+02:00", "9999-12-31T23:00:00-02:00"]
)
def test_a_time_that_is_none_is_refused(cell: str | None) -> None:
    with pytest.raises(LabelError, match="ISO 8601"):
        read({"key": ["a"], "q": ["1"], "at": [cell]}, {"q": "boolean"}, labelled_at="at")


def test_two_answers_for_one_key_are_refused() -> None:
    with pytest.raises(LabelError, match="two answers"):
        read({"key": ["a", "b", "a"], "q": ["1", "1", "0"]}, {"q": "boolean"})


def test_the_same_answer_twice_or_at_another_time_is_none_too_many() -> None:
    assert len(read({"key": ["a", "a"], "q": ["1", "1"]}, {"q": "boolean"})[0]) == 2
    cells = {"key": ["a", "a"], "q": ["1", "0"], "at": ["2026-01-30", "2026-01-31"]}
    assert len(read(cells, {"q": "boolean"}, labelled_at="at")[0]) == 2
