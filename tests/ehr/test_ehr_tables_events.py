"""The mapping: what a row tells."""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa
import pytest
from ehr.record_archive import counts, file, one_table, read, rows, tables
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from medray.ehr.tables.block import Block
from medray.ehr.tables.codes import names
from medray.ehr.tables.source import lookups, subjects
from medray.ehr.tables.template import parsed
from medray.errors import Unusable

LABS = """
[[tables]]
name = "labs"
files = "labs.csv"
subject = "subject"
record = ["subject", "id"]
encounter = "stay"
withdrawn = { error = "1" }
[[tables.events]]
code = "LAB//{item}//{uom|UNK}"
time = "at"
value = "value"
unit = "{uom}"
"""
LAB_ROWS = """id,subject,stay,item,uom,at,value,error
1,A,S1,50912,mg/dL,2101-10-20 19:08:00,1.25,0
2,B,,50912,,2101-10-20,7,0
3,A,S1,50912,mg/dL,,1.5,0
4,A,S1,,mg/dL,2101-10-21,1.5,0
5,A,S1,50912,mg/dL,2101-10-21,,0
6,A,S1,50912,mg/dL,20/10/2101,1.5,0
7,A,S1,50912,mg/dL,2101-10-21,high,0
8,,S1,50912,mg/dL,2101-10-22,1.75,0
9,A,S1,50912,mg/dL,,,1
"""


def test_a_table_by_hand() -> None:
    shared = {"subject": "A", "encounter": "S1", "code": "LAB//50912//mg/dL", "unit": "mg/dL"}
    lost = {"subject": "A", "code": "labs", "withdrawn": True}  # takes back, or is refused
    assert rows(file("labs.csv", LAB_ROWS), tables(LABS)) == [
        shared | {"row": 0, "record": "A//1", "time": datetime(2101, 10, 20, 19, 8), "numeric_value": 1.25},
        {
            "row": 1, "subject": "B", "record": "B//2", "time": datetime(2101, 10, 20, 23, 59, 59),
            "numeric_value": 7.0, "code": "LAB//50912//UNK",
        },
        *(lost | {"row": row, "record": f"A//{row + 1}", "reason": "empty"} for row in (2, 3, 4)),
        lost | {"row": 5, "record": "A//6", "reason": "unreadable_time"},
        lost | {"row": 6, "record": "A//7", "reason": "not_numeric"},
        {
            "row": 7, "encounter": "S1", "time": datetime(2101, 10, 22, 23, 59, 59), "numeric_value": 1.75,
            "code": "LAB//50912//mg/dL", "unit": "mg/dL",
        },
        shared | {"row": 8, "record": "A//9", "withdrawn": True},
    ]  # fmt: skip


def test_births_stand_at_the_first_instant_of_their_date() -> None:
    config = one_table('{ code = "MEDS_BIRTH", time = "t" }, { code = "MEDS_DEATH", time = "t" }')
    assert [row["time"] for row in rows(file("t.csv", "s,t\nA,2101-01-01\n"), config)] == [
        datetime(2101, 1, 1), datetime(2101, 1, 1, 23, 59, 59),
    ]  # fmt: skip
    config = one_table('{ code = "MEDS_BIRTH", time = { year = "t" } }, { code = "X", time = { year = "t" } }')
    assert [row["time"] for row in rows(file("t.csv", "s,t\nA,2101\n"), config)] == [
        datetime(2101, 1, 1), datetime(2101, 12, 31, 23, 59, 59),
    ]  # fmt: skip


def test_a_start_is_not_after_the_end() -> None:
    config = one_table('{ code = "IN", time = "a", not_after = ["b", "c"] }')
    content = (
        "s,a,b,c\nA,2101-01-01,2101-01-01 15:00:00,\nA,2101-01-01,,2101-01-01\nA,2101-01-01,,\n"
        "A,2101-01-01,soon,\nA,2101-01-01 08:00:00,2101-01-01 15:00:00,\nA,,2101-01-01,\nA,soon,2101-01-01,\n"
    )
    last = datetime(2101, 1, 1, 23, 59, 59)
    found = rows(file("t.csv", content), config)
    assert [(row["row"], row.get("time")) for row in found] == [
        (0, datetime(2101, 1, 1, 15)), (1, last), (2, last), (3, last), (4, datetime(2101, 1, 1, 8)), (6, None),
    ]  # fmt: skip


def test_empty_candidates_are_counted() -> None:
    assert counts(read(file("labs.csv", LAB_ROWS), tables(LABS))) == (9, 9, 0)
    without = LABS.replace('record = ["subject", "id"]\n', "").replace('withdrawn = { error = "1" }\n', "")
    assert counts(read(file("labs.csv", LAB_ROWS), tables(without))) == (9, 5, 4)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ('{ code = "X", value = "x" }', [(0, "X", None), (1, "t", "empty"), (2, "t", "not_numeric"), (4, "X", None)]),
        (
            '{ code = "X", value = "x" }, { code = "Y", value = "y" }',
            [
                (0, "X", None),
                (0, "Y", None),
                (1, "t", "empty"),
                (2, "Y", "not_numeric"),
                (2, "t", "not_numeric"),
                (4, "X", None),
                (4, "Y", "not_numeric"),
            ],
        ),
        (
            '{ code = "X", value = "x", where = { y = ["", "b"] } }',
            [(1, "t", "empty"), (2, "t", "not_numeric"), (4, "X", None)],
        ),
        (
            '{ code = "X", value = "x", unless = { y = "1" } }',
            [(0, "t", "empty"), (1, "t", "empty"), (2, "t", "not_numeric"), (4, "X", None)],
        ),
    ],
)
def test_a_record_of_which_nothing_can_be_used_takes_back(
    events: str, expected: list[tuple[int, str, str | None]]
) -> None:
    """One candidate of each such row: it counts once, as what it would be otherwise. Rows without an
    id, and rows that `where` gives to nobody, take nothing back."""
    item = file("t.csv", "s,id,x,y\nA,1,1,1\nA,2,,\nA,3,a,b\nA,,,\nA,5,1,b\n")
    config = one_table(events, record='"id"')
    found = rows(item, config)
    assert [(row["row"], row["code"], row.get("reason")) for row in found] == expected
    assert all(row.get("withdrawn", False) == (row["code"] == "t") for row in found)
    source_rows, candidates, empty = counts(read(item, config))
    assert candidates + empty == source_rows * len(config.tables[0].events)


def test_several_events_of_a_row_stand_together() -> None:
    config = one_table(
        '{ code = "IN//{a}" , time = "t"}, { code = "OUT//{b}" }', encounter='"e"', defines_encounter="true"
    )
    found = rows(file("t.csv", "s,e,a,b,t\nA,1,x,y,2101-01-01\nB,2,x,,2101-01-02\nC,3,z,y,2101-01-03\n"), config)
    assert [(row["row"], row["code"]) for row in found] == [
        (0, "IN//x"), (0, "OUT//y"), (1, "IN//x"), (2, "IN//z"), (2, "OUT//y"),
    ]  # fmt: skip
    assert all(row["defines_encounter"] for row in found)
    assert [row.get("time") for row in found][:2] == [datetime(2101, 1, 1, 23, 59, 59), None]
    assert [row["encounter"] for row in found] == ["1", "1", "2", "3", "3"]


def test_equal_codes_of_two_events_are_one_word() -> None:
    config = one_table('{ code = "X//{a}" }, { code = "{b}" }')
    (found,) = read(file("t.csv", "s,a,b\nA,1,X//1\n"), config)
    assert found.rows["code"].to_pylist() == ["X//1", "X//1"]
    assert found.rows["code"].dictionary.to_pylist() == ["X//1"]


@pytest.mark.parametrize(
    ("mapping", "expected"),
    [
        ('where = { p = ["HR", "MAP"] }', [0, 1]),
        ('where = { p = "HR", q = 1 }', [0]),
        ('unless = { p = "HR" }', [1, 2, 3]),
        ('unless = { p = ["HR", ""] }', [1, 2]),
        ('where = { p = "" }', [3]),
        ('missing = { q = ["1", "2"] }, where = { p = "HR" }', [0]),
        ('missing = { q = "1" }, value = "q"', [1, 2]),
        ('value = "q"', [0, 1, 2]),
        ('value = "q", value_required = false', [0, 1, 2, 3]),
        ('text = "q"', [0, 1, 2, 3]),
    ],
)
def test_which_rows_are_meant(mapping: str, expected: list[int]) -> None:
    content = "s,p,q\nA,HR,1\nA,MAP,2\nA,RR,3\nA,,nan\n"
    assert [row["row"] for row in rows(file("t.csv", content), one_table(f'{{ code = "C", {mapping} }}'))] == expected


def test_what_is_no_number_becomes_the_text_of_the_same_column() -> None:
    found = rows(file("t.csv", "s,v\nA,1.5\nA,HOLD\nA,\n"), one_table('{ code = "C", value = "v", text = "v" }'))
    assert [(row.get("numeric_value"), row.get("text_value")) for row in found] == [(1.5, None), (None, "HOLD")]


def test_a_text_of_its_own_does_not_excuse_a_bad_number() -> None:
    found = rows(
        file("t.csv", "s,v,w\nA,1.5,x\nA,HOLD,y\nA,,z\n"), one_table('{ code = "C", value = "v", text = "w" }')
    )
    assert [(row["text_value"], row.get("reason")) for row in found] == [("x", None), ("y", "not_numeric"), ("z", None)]


def test_units_are_converted() -> None:
    assert (
        rows(file("t.csv", "s,v\nA,1\n"), one_table('{ code = "C", value = "v", offset = 1 }'))[0]["numeric_value"] == 2
    )
    config = one_table('{ code = "C", value = "v", unit = "degC", scale = 0.5, offset = -16 }')
    found = rows(file("t.csv", "s,v\nA,100\nA,6e38\nA,1e39\n"), config)
    assert [(row.get("numeric_value"), row["unit"], row.get("reason")) for row in found[::2]] == [
        (34.0, "degC", None), (None, "degC", "not_numeric"),
    ]  # fmt: skip
    assert found[1]["numeric_value"] == pytest.approx(3e38)


def test_the_first_code_that_is_there() -> None:
    config = one_table('{ code = ["OMOP//{c}", "OWN//{o}"], missing = { c = "0" }, unit = ["{u}", "one"] }')
    found = rows(file("t.csv", "s,c,o,u\nA,5,x,mg\nA,0,y,\nA,,,\n"), config)
    assert [(row["code"], row["unit"]) for row in found] == [("OMOP//5", "mg"), ("OWN//y", "one")]


def test_a_missing_word_is_missing_for_its_event_only() -> None:
    config = one_table('{ code = "{p}" }, { code = "{p|none}", where = { p = ["HR", "-"] }, missing = { p = "-" } }')
    assert [row["code"] for row in rows(file("t.csv", "s,p\nA,HR\nA,-\nA,RR\n"), config)] == [
        "HR", "HR", "-", "none", "RR",
    ]  # fmt: skip


def test_many_columns_in_a_code() -> None:
    """Two columns of 1,500 words each have more pairs than are looked up in an array."""
    content = "s,a,b\n" + "".join(f"A,a{i},b{i * 7 % 1500}\n" for i in range(1500))
    found = rows(file("t.csv", content), one_table('{ code = "{a}-{b}-{a}" }'))
    assert [row["code"] for row in found] == [f"a{i}-b{i * 7 % 1500}-a{i}" for i in range(1500)]


def test_a_wide_table_is_melted() -> None:
    config = one_table('{ code = "WDBC//{column}", columns = "*" }', encounter='"e"')
    found = rows(file("t.csv", "e,s,mean radius,area.se\n9,A,1.5,2\n9,B,,x\n"), config)
    assert [(row["row"], row["code"], row.get("numeric_value"), row.get("reason")) for row in found] == [
        (0, "WDBC//mean radius", 1.5, None), (0, "WDBC//area.se", 2.0, None), (1, "WDBC//area.se", None, "not_numeric"),
    ]  # fmt: skip


def test_melted_cells_may_be_words() -> None:
    config = one_table('{ code = "{column}//{cell}", columns = ["sex", "sm*"] }, { code = "AGE", value = "age" }')
    found = rows(file("t.csv", "s,age,sex,smoker,other\nA,50,F,yes,1\nB,60,,no,1\n"), config)
    assert [row["code"] for row in found] == ["sex//F", "smoker//yes", "AGE", "smoker//no", "AGE"]


def test_columns_are_found_whatever_their_case() -> None:
    config = one_table('{ code = "C//{ITEMID}" }')
    assert rows(file("t.csv", "S,itemid\nA,1\n"), config) == [{"row": 0, "subject": "A", "code": "C//1"}]
    assert rows(file("t.csv", "s,S,itemid\nA,B,1\n"), config)[0]["subject"] == "A"
    with pytest.raises(Unusable, match=r"no_columns \(lacks ITEMID\)"):
        rows(file("t.csv", "s,itemid,ItemId\nA,1,2\n"), config)


def test_two_columns_of_one_name_are_none() -> None:
    for name in ("t.csv", "t.tsv"):
        item = file(name, "s,a,a\nA,1,2\n".replace(",", "\t" if name == "t.tsv" else ","))
        with pytest.raises(Unusable, match=r"no_columns \(lacks a\)"):
            rows(item, one_table('{ code = "C//{a}" }'))
        with pytest.raises(Unusable, match=r"no_columns \(lacks a\)"):
            rows(item, one_table('{ code = "C//{column}", columns = "*" }'))
        assert len(rows(item, one_table('{ code = "C" }'))) == 1


def test_optional_columns_may_be_absent() -> None:
    config = one_table('{ code = "C", time = ["a", "b"] }', optional='["a", "b"]')
    assert rows(file("t.csv", "s,b\nA,2101-01-01\n"), config)[0]["time"] == datetime(2101, 1, 1, 23, 59, 59)
    assert counts(read(file("t.csv", "s\nA\n"), config)) == (1, 0, 1)


def test_a_column_that_only_a_filter_reads_must_be_there() -> None:
    with pytest.raises(Unusable, match=r"no_columns \(lacks kind\)"):
        rows(file("t.csv", "s,v\nA,1\n"), one_table('{ code = "C", unless = { kind = "x" } }'))


JOINED = """
joins = [{ files = "stays.csv", on = "stay", key = "id", columns = ["out", "ward"], prefix = "stay." }]
"""


def test_columns_of_another_table_stand_beside_the_rows() -> None:
    config = tables(
        f'[[tables]]\nname="d"\nfiles="d.csv"\nsubject="s"\n{JOINED}\n'
        'events = [{ code = "{icd}//{stay.ward|none}", time = "stay.out" }]'
    )
    stays = [
        file("x/stays.csv", "id,out,ward\n2,2101-02-02,W\n1,2101-01-01,\n2,2199-01-01,X\n,2100-01-01,Y\n"),
        file("other.csv", "a,b\n1,2\n"),
        file("y/stays.csv", "ward,id,out\nV,10,2101-10-10\n"),
    ]
    found = lookups(stays, config)
    diagnoses = file("d.csv", "s,stay,icd\nA,1,I10\nA,2,I20\nA,3,I30\nA,,I40\nA,10,I50\n")
    assert [(row["row"], row["code"], row["time"]) for row in rows(diagnoses, config, found=found)] == [
        (0, "I10//none", datetime(2101, 1, 1, 23, 59, 59)),
        (1, "I20//W", datetime(2101, 2, 2, 23, 59, 59)),
        (4, "I50//V", datetime(2101, 10, 10, 23, 59, 59)),
    ]
    with pytest.raises(Unusable, match="no_columns"):
        rows(diagnoses, config)
    with pytest.raises(Unusable, match=r"no_columns \(no file is stays.csv, which gives out, ward\)"):
        lookups([diagnoses, file("stay.csv", "id,out,ward\n1,2101-01-01,W\n")], config)
    assert lookups([file("other.csv", "a\n1\n")], config) == {}  # nothing of the archive is joined


def test_ids_that_were_written_as_floats() -> None:
    config = tables(
        '[[tables]]\nname="d"\nfiles="d.csv"\nsubject="s"\nintegers=["s", "stay", "icd"]\n'
        'joins=[{files="w.csv", on="stay", key="id", columns="ward", integers=["id"]}]\n'
        'events=[{ code = "{icd}//{v}//{ward}" }]\n'
        '[subjects]\nfiles="p.csv"\nsubject="s"\nshared="mrn"\nintegers=["s"]'
    )
    wards = file("w.csv", "id,ward\n1.0,A\n2,B\n")
    rows_ = "s,stay,icd,v\n7.0,1,x.0,1.0\n-8,2.0,10.00,2.0\n9.0,,1.5,3.0\n,2.0,4.0,4.0\n"
    found = rows(file("d.csv", rows_), config, found=lookups([wards, file("d.csv", rows_)], config))
    assert [(row.get("subject"), row["code"]) for row in found] == [
        ("7", "x.0//1.0//A"), ("-8", "10.00//2.0//B"), (None, "4//4.0//B"),
    ]  # fmt: skip
    assert subjects([file("p.csv", "s,mrn\n7.0,M7.0\n")], config) == {"7": "M7.0"}


@pytest.mark.parametrize(
    ("toml", "told"),
    [
        ('code = "{a"', "brace"),
        ('code = "a}"', "brace"),
        ('code = ""', "empty template"),
        ("code = []", "at least 1"),
        ('code = "C", time = { column = "t", unit = "minutes" }', "unit and origin"),
        ('code = "C", time = { column = "t", unit = "minutes", origin = 2000-01-01T00:00:00Z }', "zone"),
        ('code = "C", time = { column = "t", format = "%Y", unit = "days", origin = 2000-01-01T00:00:00 }', "one of"),
        (
            'code = "C", time = { column = "t", unit = "hours", origin = 2000-01-01T00:00:00, date = "start" }',
            "date is",
        ),
        (
            'code = "C", time = { column = "t", unit = "days", origin = 2000-01-01, dates_at_midnight = true }',
            "mid",
        ),
        ('code = "C", time = { column = "t", date = "noon" }', "'start' or 'end'"),
        ('code = "C", columns = "*"', "{column} or {cell}"),
        ('code = "{column}", columns = "*", value = "v"', "leave value"),
        ('code = "C", where = { p = [] }', "at least 1"),
        ('code = "C", scale = nan', "finite"),
        ('code = "C", offset = inf', "finite"),
        ('code = "C", colour = "red"', "Extra"),
    ],
)
def test_mistakes_are_told(toml: str, told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        one_table(f"{{ {toml} }}")


def test_mistakes_of_tables_are_told() -> None:
    with pytest.raises(ValidationError, match="needs encounter"):
        one_table('{ code = "C" }', defines_encounter="true")
    with pytest.raises(ValidationError, match="needs record"):
        one_table('{ code = "C" }', withdrawn='{ error = "1" }')
    with pytest.raises(ValidationError, match="integers has v, which"):
        one_table('{ code = "C" }', integers='["s", "v"]')
    assert one_table('{ code = "{column}", columns = "v" }', integers='["s", "v"]')
    with pytest.raises(ValidationError, match="integers has stay"):
        one_table('{ code = "C" }', joins='[{ files = "x", on = "s", key = "k", columns = "c", integers = "stay" }]')
    with pytest.raises(ValidationError, match="integers has c"):
        tables(LABS + '[subjects]\nfiles="x"\nsubject="a"\nshared="b"\nintegers="c"')
    with pytest.raises(ValidationError, match="one name"):
        tables(LABS + LABS)


WORDS = st.sampled_from([None, "a", "b", "a//b", "é"])


@given(st.lists(st.tuples(WORDS, WORDS, WORDS), min_size=1, max_size=12))
def test_names_are_what_joining_each_row_would_give(cells: list[tuple[str | None, ...]]) -> None:
    columns = [pa.array(column, pa.string()) for column in zip(*cells, strict=True)]
    block = Block(pa.array(range(len(cells))), dict(zip("xyz", columns, strict=True)), pa.array([], pa.int64()))
    templates = (parsed("{x}//{y|none}"), parsed("Z{z}{z}"))
    expected = [f"{x}//{y or 'none'}" if x else f"Z{z}{z}" if z else None for x, y, z in cells]
    assert names(templates, block).to_pylist() == expected
