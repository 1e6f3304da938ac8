"""What is new in a bucket: by hand, and against a slow model that says it plainly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from medray.contracts import Array
from medray.drivers.records.bucket import Rules, decide
from medray.drivers.records.content import CONTENT, content
from medray.drivers.records.mapped_rows import STAGED
from medray.drivers.records.meet import STANDING
from medray.drivers.records.read_events import events_schema, is_among
from medray.planning.record_versions import FATES

Row = dict[str, Any]
NIGHT = events_schema(STANDING)


def row(subject: int = 1, code: str = "HR", value: float | None = 1.0, **given: Any) -> Row:
    plain = {
        "file": 0, "row": 0, "time": datetime(2020, 1, 1), "defines_encounter": False, "withdrawn": False,
        "input_version": 1,
    }  # fmt: skip
    return {**plain, "subject_id": subject, "code": code, "numeric_value": value, **given}


def decided(
    rows: list[Row],
    standing: list[Row] | None = None,
    encounters: Literal["required", "any"] = "required",
    on_change: Literal["supersede", "conflict"] = "supersede",
) -> tuple[list[str], list[int], list[int]]:
    """Fate and version of each row, and the places of those kept. Standing rows come in pieces of two."""
    stands = pa.Table.from_pylist(standing or [], schema=NIGHT)

    def stream(subjects: Array) -> Iterator[pa.Table]:
        for start in range(0, stands.num_rows, 2):
            piece = stands.slice(start, 2).combine_chunks()
            piece = piece.filter(pa.array(is_among(piece["subject_id"].to_numpy(), subjects)))
            if piece.num_rows:
                yield piece

    found = decide(pa.Table.from_pylist(rows, schema=STAGED), stream, Rules(encounters, on_change))
    fates = [FATES[fate] for fate in found.fate]
    versions = [int(v) if fate == "ingested" else 0 for v, fate in zip(found.version, fates, strict=True)]
    return fates, versions, found.kept.tolist()


def test_rows_are_kept_by_subject_time_and_code() -> None:
    later = datetime(2020, 1, 2)
    rows = [row(2), row(1, time=later), row(1, "K"), row(1, "HR"), row(1, "Z", time=None), row(1, "HR", 2.0)]
    assert decided(rows) == (["ingested"] * 6, [1] * 6, [4, 3, 5, 2, 1, 0])


def test_an_event_without_an_id_is_told_by_its_content() -> None:
    rows = [
        row(),
        row(),
        row(value=None),
        row(value=2.0),
        row(text_value="x"),
        row(unit="bpm"),
        row(2),
        row(value=None),
    ]
    fates = decided(rows, [row(value=2.0), row(3, unit="bpm")])[0]
    assert fates == [
        "ingested", "duplicate", "ingested", "known", "ingested", "ingested", "ingested", "duplicate"
    ]  # fmt: skip
    assert decided([row(), row()], [row()])[0] == ["known", "known"]


def test_an_encounter_has_to_be_defined_for_the_subject() -> None:
    rows = [row(encounter_key=5, defines_encounter=True), row(encounter_key=5), row(2, encounter_key=5), row()]
    assert decided(rows)[0] == ["ingested", "ingested", "orphan_encounter", "ingested"]
    assert decided(rows, [row(2, encounter_key=5, defines_encounter=True)])[0] == ["ingested"] * 4
    assert decided(rows, [row(2, encounter_key=5)])[0][2] == "orphan_encounter"
    assert decided(rows, encounters="any")[0] == ["ingested"] * 4


def test_rows_of_one_row_of_a_file_are_one_record() -> None:
    """A resource with two components comes again, then with one component changed."""
    before = [row(record_key=7, value=1.0), row(record_key=7, value=2.0, code="K")]
    again = [{**one, "row": 1} for one in before]
    changed = [{**before[0], "row": 2, "value": 1.0}, {**before[1], "row": 2, "numeric_value": 3.0}]
    assert decided([*before, *again, *changed])[:2] == (
        ["ingested", "ingested", "duplicate", "duplicate", "ingested", "ingested"],
        [1, 1, 0, 0, 2, 2],
    )
    assert decided(again, before)[0] == ["known", "known"]
    assert decided(again[:1], before)[:2] == (["ingested"], [2])
    assert decided(changed, before, on_change="conflict")[0] == ["conflict", "conflict"]


def test_the_order_of_a_records_rows_does_not_matter() -> None:
    before = [row(record_key=7, value=1.0), row(record_key=7, value=2.0, code="K")]
    assert decided(before[::-1], before)[0] == ["known", "known"]


def test_a_withdrawal_takes_back_what_stands() -> None:
    gone = row(record_key=7, withdrawn=True)
    assert decided([gone])[0] == ["entered_in_error"]
    assert decided([gone], [row(record_key=7)])[:2] == (["ingested"], [2])
    assert decided([gone], [row(record_key=7), {**gone, "input_version": 2}])[0] == ["known"]
    assert decided([row(record_key=7)], [row(record_key=7), {**gone, "input_version": 2}])[:2] == (["ingested"], [3])
    assert decided([row(withdrawn=True)])[0] == ["entered_in_error"]


def test_a_record_is_another_subjects_under_the_same_key() -> None:
    assert decided([row(1, record_key=7), row(2, record_key=7)])[0] == ["ingested", "ingested"]


def test_contents_differ_by_every_column() -> None:
    plain = row(text_value="t", unit="u", encounter_key=5)
    others = [
        {**plain, "subject_id": 2}, {**plain, "time": None}, {**plain, "code": "X"}, {**plain, "numeric_value": None},
        {**plain, "numeric_value": 0.0}, {**plain, "text_value": None}, {**plain, "text_value": ""},
        {**plain, "unit": "t", "text_value": "u"}, {**plain, "encounter_key": None}, {**plain, "encounter_key": 0},
        {**plain, "defines_encounter": True},
    ]  # fmt: skip
    rows = pa.Table.from_pylist([plain, *others, plain], schema=STAGED).select(CONTENT)
    says = [tuple(one) for one in content(rows).tolist()]
    assert says[0] == says[-1]
    assert len(set(says)) == len(others) + 1


# A slow model of the same decision.


def _content(one: Row) -> tuple[Any, ...]:
    return tuple(one.get(name) for name in CONTENT)


def _pair(one: Row, key: str) -> tuple[int, int] | None:
    return None if one.get(key) is None else (one["subject_id"], one[key])


def model(rows: list[Row], standing: list[Row], encounters: str, on_change: str) -> tuple[list[str], list[int]]:
    defined = {
        _pair(one, "encounter_key") for one in [*rows, *standing] if one["defines_encounter"] and not one["withdrawn"]
    }
    fates: dict[int, str] = {}
    versions: dict[int, int] = {}
    stands = {_content(one) for one in standing if one.get("record_key") is None}
    told: set[tuple[Any, ...]] = set()
    for place, one in enumerate(rows):
        encounter = _pair(one, "encounter_key")
        if encounters == "required" and encounter and not one["defines_encounter"] and encounter not in defined:
            fates[place] = "orphan_encounter"
        elif one.get("record_key") is None:
            if one["withdrawn"]:
                fates[place] = "entered_in_error"
            elif _content(one) in stands:
                fates[place] = "known"
            else:
                fates[place] = "duplicate" if _content(one) in told else "ingested"
                told.add(_content(one))
            versions[place] = 1
    records: dict[Any, dict[Any, list[int]]] = {}
    for place, one in enumerate(rows):
        if place not in fates:
            key = (one["file"], one["row"])
            records.setdefault(_pair(one, "record_key"), {}).setdefault(key, []).append(place)
    for record, occurrences in records.items():
        _model_record(record, occurrences, rows, standing, on_change, fates, versions)
    return [fates[place] for place in range(len(rows))], [
        versions[place] if fates[place] == "ingested" else 0 for place in range(len(rows))
    ]


def _says(rows: list[Row]) -> Any:
    return "withdrawn" if any(one["withdrawn"] for one in rows) else Counter(map(_content, rows))


def _model_record(
    record: Any, occurrences: dict[Any, list[int]], rows: list[Row], standing: list[Row], on_change: str,
    fates: dict[int, str], versions: dict[int, int],
) -> None:  # fmt: skip
    mine = [one for one in standing if _pair(one, "record_key") == record]
    number = max((one["input_version"] for one in mine), default=0)
    past = [_says([one for one in mine if one["input_version"] == v]) for v in range(1, number + 1)]
    current, of_run = (past[-1] if past else None), False
    ages = {key: rows[places[0]].get("record_order") for key, places in occurrences.items()}
    order = sorted(occurrences, key=lambda key: (0 if None in ages.values() else ages[key], key))
    stands = next((one.get("record_order") for one in mine if one["input_version"] == number), None)
    says = [_says([rows[place] for place in occurrences[key]]) for key in order]
    last = max((i for i, one in enumerate(says) if one == current), default=-1)
    for i, key in enumerate(order):
        older = None not in (stands, ages[key]) and ages[key] < stands
        if older or (i < last and (says[i] in past or says[i] == "withdrawn")):
            fate = "known"
        elif number and says[i] == current:
            fate = "duplicate" if of_run else "known"
        elif says[i] == "withdrawn" and not number:
            fate = "entered_in_error"
        elif number and on_change == "conflict":
            fate = "conflict"
        else:
            fate, number, current, of_run = "ingested", number + 1, says[i], True
        for place in occurrences[key]:
            fates[place], versions[place] = fate, number
            if fate == "entered_in_error":
                fates[place] = rows[place].get("reason") or fate


new_rows = st.lists(
    st.builds(
        row,
        st.integers(1, 2),
        st.sampled_from(["A", "B"]),
        st.sampled_from([1.0, 2.0, None]),
        file=st.integers(0, 1),
        row=st.integers(0, 2),
        time=st.sampled_from([None, datetime(2020, 1, 1)]),
        encounter_key=st.sampled_from([None, 1, 2]),
        defines_encounter=st.booleans(),
        record_key=st.sampled_from([None, 1, 2]),
        withdrawn=st.sampled_from([False, False, True]),
        reason=st.sampled_from([None, "empty", "not_numeric"]),
    ),
    max_size=12,
)
ages = st.lists(st.sampled_from([None, 1, 2, 3]), min_size=6, max_size=6)  # of each row of each file


def told(rows: list[Row], order: list[int | None]) -> list[Row]:
    """The rows of a night, in order; only records that are taken back have a reason."""
    return [
        {
            **one,
            "record_order": None if one["record_key"] is None else order[3 * one["file"] + one["row"]],
            "reason": one["reason"] if one["withdrawn"] and one["record_key"] is not None else None,
        }
        for one in sorted(rows, key=lambda one: (one["file"], one["row"]))
    ]


@settings(max_examples=200, deadline=None)
@given(new_rows, new_rows, ages, ages, st.sampled_from(["required", "any"]), st.sampled_from(["supersede", "conflict"]))
def test_two_nights_are_decided_as_the_slow_model_says(
    first: list[Row],
    second: list[Row],
    first_ages: list[int | None],
    second_ages: list[int | None],
    encounters: Literal["required", "any"],
    on_change: Literal["supersede", "conflict"],
) -> None:
    standing: list[Row] = []
    for night in (told(first, first_ages), told(second, second_ages)):
        if not night:
            continue
        fates, versions, kept = decided(night, standing, encounters, on_change)
        assert (fates, versions) == model(night, standing, encounters, on_change)
        keys = [(night[i]["subject_id"], night[i]["time"] is not None, night[i]["code"], i) for i in kept]
        assert keys == sorted(keys)
        assert sorted(kept) == [i for i, fate in enumerate(fates) if fate == "ingested"]
        standing += [{**night[i], "input_version": versions[i]} for i in kept]


def test_what_comes_again_is_known_whatever_it_was() -> None:
    rng = np.random.default_rng(3)
    rows = [
        row(int(rng.integers(1, 4)), str(rng.integers(3)), float(rng.integers(4)), record_key=key, file=0, row=place)
        for place in range(300)
        for key in [int(rng.integers(0, 30)) if rng.random() < 0.5 else None]
    ]
    fates, versions, kept = decided(rows)
    stands = [{**rows[i], "input_version": versions[i]} for i in kept]
    assert set(fates) == {"ingested", "duplicate"}
    assert set(decided([{**one, "file": 1} for one in rows], stands)[0]) == {"known"}
