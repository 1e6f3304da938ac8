"""Quotes that stand where they should not: what they cost, in files with and without line breaks in cells."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from ehr.record_archive import counts, file, one_table, read, rows
from hypothesis import given, settings
from hypothesis import strategies as st

from medray.ehr.tables.source import read_table
from medray.errors import Unusable

LINES = one_table('{ code = "{a}", text = "b" }')
RECORDS = one_table('{ code = "{a}", text = "b", unit = "{u}" }', record='"r"', multiline="true", optional='["u", "r"]')


def told(content: str, config: Any = LINES, name: str = "t.csv", **sizes: int) -> list[tuple[int, str | None]]:
    """Row and code; None for a malformed row."""
    (table,) = config.tables
    found = read_table(file(name, content), 0, table, {}, **sizes)
    return [
        (row["row"], None if row["reason"] == "malformed" else row["code"])
        for part in found
        for row in part.rows.to_pylist()
    ]


@pytest.mark.parametrize("block_bytes", [64, 300, 10**6])
def test_stray_quotes_cost_their_own_lines(block_bytes: int) -> None:
    lines = [f"PATIENT{i},ITEM{i},{i}" for i in range(100)]
    lines[10], lines[60] = 'PATIENT10,"12 inch,10', 'PATIENT60,ITEM",60'
    expected = [(i, None if i == 10 else 'ITEM"' if i == 60 else f"ITEM{i}") for i in range(100)]
    content = "s,a,b\n" + "\n".join(lines)
    for ends in ("\n", "\r\n", "\r"):
        assert told(content.replace("\n", ends) + ends, block_bytes=block_bytes) == expected
        assert told(content.replace("\n", ends), block_bytes=block_bytes) == expected


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ('x,"1 ""a""",2', '1 "a"'),
        ('x,"y"z"w",2', 'yz"w"'),
        ('x,5" pipe,2', '5" pipe'),
        ('x,"a,b",2', "a,b"),
        ('x,5",", 2', None),  # even, and open
        ('x,"a""b,2', None),
        ('x,1,"', None),
        ('x,1,"2', None),
        ('x,"1,2', None),
        ('"x,1,2', None),
    ],
)
@pytest.mark.parametrize("below", ["", "\n", "\n\n\n", "\ny,3,4", '\n\ny,"3",4\n'])
def test_one_line(line: str, code: str | None, below: str) -> None:
    assert told(f"s,a,b\n{line}{below}") == [(0, code), *([(1, "3")] if "y" in below else [])]


def test_a_break_in_a_cell_that_is_not_declared_ends_the_row() -> None:
    assert told('s,a,b\nx,1,"two\nlines"\ny,3,4\n') == [(0, None), (1, None), (2, "3")]


def _open(line: str) -> bool:
    """The grammar, character by character."""
    quoted, at = False, 0
    for place, character in enumerate(line):
        if quoted:
            at = at + 1 if character == '"' else 0
            quoted = not (at % 2 and line[place + 1 : place + 2] != '"')
        elif character == '"' and (place == 0 or line[place - 1] == ","):
            quoted, at = True, 0
    return quoted


TEXTS = st.lists(st.text('ab",', max_size=8), max_size=12)


@cache
def _alone(line: str) -> tuple[Any, ...] | None:
    """What a line gives in a file of its own; None where it says nothing."""
    found = read(file("t.csv", f"s,a,b\n{line}\n"), LINES)
    assert counts(found)[0] == 1
    (row,) = [row for part in found for row in part.rows.to_pylist()] or [None]
    assert not _open(line) or row["reason"] == "malformed"
    return None if row is None else (row["subject"], row["code"], row["text_value"], row["reason"])


@settings(max_examples=150, deadline=None)
@given(TEXTS, st.sampled_from(["\n", "\r\n", "\r"]), st.integers(16, 60), st.booleans())
def test_each_line_stands_for_itself(lines: list[str], end: str, block_bytes: int, ended: bool) -> None:
    """Whatever stands beside it, a line gives what it gives alone; an open quote is malformed."""
    content = end.join(["s,a,b", *lines]) + (end if ended else "")
    expected = [_alone(line) for line in filter(None, lines)]
    (table,) = LINES.tables
    found = list(read_table(file("t.csv", content), 0, table, {}, block_bytes))
    rows_of = {row["row"]: row for part in found for row in part.rows.to_pylist()}
    assert sum(part.source_rows for part in found) == len(expected)
    for place, row in enumerate(expected):
        got = rows_of.get(place)
        assert (None if got is None else (got["subject"], got["code"], got["text_value"], got["reason"])) == row


@pytest.mark.parametrize("block_bytes", [40, 64, 1000])
def test_declared_line_breaks_belong_to_their_cells(block_bytes: int) -> None:
    content = 's,a,b\nx,1,2\nshort\n\n"y",3,"4\n\nfour"\n1,2,3,4\nz,5,"6\r\n"\n'
    (table,) = RECORDS.tables
    found = [
        row for part in read_table(file("t.csv", content), 0, table, {}, block_bytes) for row in part.rows.to_pylist()
    ]
    assert [(row["row"], row["code"], row["text_value"], row["reason"]) for row in found] == [
        (0, "1", "2", None), (1, None, None, "malformed"), (2, "3", "4\n\nfour", None),
        (3, None, None, "malformed"), (4, "5", "6\r\n", None),
    ]  # fmt: skip


@pytest.mark.parametrize("row", ['x,"1\n",2,3,4', '"x\n",1,2,3,4', 'x,1,2,"3\r",4', 'x,1,2,3,"4\n"'])
def test_names_with_a_line_break_are_malformed_rows(row: str) -> None:
    content = f"s,a,b,u,r\nw,0,1,2,3\n{row}\ny,5,6,7,8\n"
    assert told(content, RECORDS) == [(0, "0"), (1, None), (2, "5")]
    assert counts(read(file("t.csv", content), RECORDS)) == (3, 3, 0)


@pytest.mark.parametrize(
    "content",
    [
        's,a,b\nx,"1,2\ny,3,4\nz",5,6\nu,7,8\n',
        's,a,b\nx,"1,2\ny,3,4\nz,5,6\n',
        's,a,b\nx,1\n"y\rz",1\nx,1,2\n',
        's,a,b\nx,"1,2\n' + "y,3,4\n" * 1_000_000,
    ],
)
def test_a_torn_row_with_a_line_break_gives_the_file_up(content: str) -> None:
    with pytest.raises(Unusable, match="malformed"):
        read(file("t.csv", content), RECORDS)


def test_a_mark_of_utf8_belongs_to_the_start_of_the_file_only() -> None:
    content = "\ufeffs,a,b\n" + "\ufeffx,1,2\n" * 3
    (table,) = LINES.tables
    for block_bytes in (16, 1000):
        found = read_table(file("t.csv", content), 0, table, {}, block_bytes)
        assert [row["subject"] for part in found for row in part.rows.to_pylist()] == ["\ufeffx"] * 3


def test_tabs_and_encodings_have_the_same_quotes() -> None:
    config = one_table('{ code = "{a}", text = "b" }', encoding='"utf-16"')
    content = 's\ta\tb\nx\t"1\t2\ny\t"3, 4"\t5\n'
    assert [(row["row"], row.get("code")) for row in rows(file("t.tsv", content.encode("utf-16")), config)] == [
        (0, None), (1, "3, 4"),
    ]  # fmt: skip


def test_utf_16_without_its_mark_is_not_text() -> None:
    config = one_table('{ code = "{a}" }', encoding='"utf-16"')
    with pytest.raises(Unusable, match="not_text"):
        rows(file("t.csv", "s,a\nA,x\n".encode("utf-16-le")), config)
