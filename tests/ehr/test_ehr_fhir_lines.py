"""FHIR: files and lines as they should not be."""

from __future__ import annotations

import copy
import gzip
import json
import tracemalloc
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medray.contracts import RecordFile
from medray.ehr.fhir import read as reading
from medray.ehr.fhir.config import FhirConfig
from medray.ehr.fhir.kinds import TYPES
from medray.ehr.fhir.spec import SOURCE
from medray.errors import Unusable
from medray.schema.reasons import REASONS

CONFIG = FhirConfig(kind="fhir", subject="id")
BIRTH = b'{"resourceType":"Patient","id":"%d","birthDate":"1950"}'


def _file(data: bytes, name: str = "Patient.ndjson") -> RecordFile:
    return RecordFile(name, len(data), lambda: pa.BufferReader(data))


def _read(data: bytes, config: FhirConfig = CONFIG) -> list[tuple[int, str | None, str | None]]:
    found = SOURCE.read(_file(data), "Patient", 0, config)
    return [(row["row"], row["subject"], row["reason"]) for records in found for row in records.rows.to_pylist()]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_line_numbers_count_blank_lines_and_lines_may_end_anyhow(pack: Any) -> None:
    data = b"\xef\xbb\xbf" + BIRTH % 0 + b"\r\n\r\n  \n" + BIRTH % 3 + b"\n\n" + BIRTH % 5
    assert _read(pack(data)) == [(0, "0", None), (3, "3", None), (5, "5", None)]


@pytest.mark.parametrize(
    "line",
    [
        b"{", b"[]", b"null", b'"Patient"', b"\x00", b'{"resourceType":"Patient","id":"\xff"}', b"{} {}",
        b'{"resourceType":"Patient","id":"1\x00"}', b'{"resourceType":"Patient","x":NaN}',
        b'{"resourceType":["Patient"]}',
        b"\xef\xbb\xbf" + BIRTH % 1,
        b'{"resourceType":"Bundle"}', b"[" * 100_000, b'{"a":' * 100_000, b'{"a":' + b"9" * 5000 + b"}",
    ],
    ids=lambda line: str(line[:24]),
)  # fmt: skip
def test_a_bad_line_is_one_malformed_row(line: bytes) -> None:
    assert _read(BIRTH % 0 + b"\n" + line + b"\n" + BIRTH % 2) == [
        (0, "0", None), (1, None, "malformed"), (2, "2", None),
    ]  # fmt: skip


@pytest.mark.parametrize("length", [100, 101, 150, 200, 201, 1000])
def test_an_overlong_line_is_malformed_and_counts_once(length: int) -> None:
    config = FhirConfig(kind="fhir", subject="id", line_bytes=100)
    long = b"x" * length
    assert _read(long + b"\n" + BIRTH % 1, config) == [(0, None, "malformed"), (1, "1", None)]
    assert _read(BIRTH % 0 + b"\n" + long, config) == [(0, "0", None), (1, None, "malformed")]


def test_a_line_of_the_longest_length_is_read() -> None:
    line = BIRTH % 7
    config = FhirConfig(kind="fhir", subject="id", line_bytes=len(line) + 1)
    assert _read(line + b"\n" + line + b"\n", config) == [(0, "7", None), (1, "7", None)]


@pytest.mark.parametrize("data", [b"", b"\n \r\n", gzip.compress(b"", mtime=0)])
def test_a_file_without_lines_is_empty(data: bytes) -> None:
    with pytest.raises(Unusable, match="empty"):
        _read(data)


def test_truncated_and_damaged_gzip() -> None:
    data = gzip.compress(b"\n".join(BIRTH % i for i in range(1000)))
    for end in (2, 9, 50, len(data) - 9, len(data) - 1):
        with pytest.raises(Unusable, match="truncated"):
            _read(data[:end])
    broken = bytearray(data)
    broken[-6] ^= 1  # its check sum
    for damaged in (bytes(broken), data + b"x", data[:40] + b"\xff" * 20 + data[60:]):
        with pytest.raises(Unusable, match="malformed"):
            _read(damaged)


def test_two_gzip_members_are_one_file() -> None:
    halves = gzip.compress(BIRTH % 0 + b"\n") + gzip.compress(BIRTH % 1)
    assert _read(halves) == [(0, "0", None), (1, "1", None)]


def test_batches_are_bounded_by_rows_and_by_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    data = b"\n".join(BIRTH % i for i in range(10))

    def sizes() -> list[int]:
        return [records.rows.num_rows for records in SOURCE.read(_file(data), "Patient", 0, CONFIG)]

    monkeypatch.setattr(reading, "ROWS", 4)
    assert sizes() == [4, 4, 2]
    monkeypatch.setattr(reading, "LINE_BYTES", 2 * len(BIRTH))
    assert sizes() == [2] * 5


def test_memory_does_not_follow_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "ROWS", 1000)

    def peak(lines: int) -> int:
        packed = gzip.compress((BIRTH % 1 + b"\n") * lines)
        tracemalloc.start()
        for _ in SOURCE.read(_file(packed), "Patient", 0, CONFIG):
            pass
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    assert peak(16_000) < 1.1 * peak(4_000)


WORDS = [
    *TYPES, "Patient/1", "#med", "1", "2020", "9999-12-31T23:59:59-01:00", "http://loinc.org", "entered-in-error",
    "cancelled", "refuted", "<", "1e400", "\ud800", "\x00", "", "old",
]  # fmt: skip
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.sampled_from(WORDS) | st.text()
JUNK = LEAVES | st.lists(LEAVES, max_size=2) | st.dictionaries(st.sampled_from(["value", "start", "coding"]), LEAVES)
GOLDEN = Path(__file__).parent / "golden" / "fhir" / "in"


def _whole() -> list[Any]:
    """The golden resources that are JSON objects."""
    stored = b"\n".join(path.read_bytes() for path in sorted(GOLDEN.glob("*.ndjson"))).splitlines()
    return [resource for line in stored if (resource := reading.resource_of(line)) is not None]


def _places(node: Any) -> list[tuple[Any, Any]]:
    """(container, key) of every value in a resource, however deep."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [place for key, child in items for place in ((node, key), *_places(child))]


def _damaged(resource: Any, blows: list[tuple[int, Any]]) -> Any:
    resource = copy.deepcopy(resource)
    for where, junk in blows:
        places = _places(resource)
        container, key = places[where % len(places)]
        container[key] = junk
    return resource


RESOURCES = st.builds(
    _damaged,
    st.sampled_from(_whole()),
    st.lists(st.tuples(st.integers(0, 1000), JUNK), min_size=1, max_size=3),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(RESOURCES, min_size=1, max_size=4), st.booleans(), st.sampled_from(["id", "http://loinc.org"]))
def test_no_resource_breaks_the_reader(resources: list[Any], keep_text: bool, subject: str) -> None:
    config = FhirConfig(kind="fhir", subject=subject, keep_text=keep_text, systems=("SNOMED",))
    data = b"\n".join(json.dumps(resource).encode() for resource in resources)
    found = list(SOURCE.read(_file(data), "Patient", 0, config))
    assert sum(records.source_rows for records in found) == len(resources)
    for records in found:
        records.rows.validate(full=True)
        assert set(records.rows["reason"].to_pylist()) <= {None, *REASONS}
    told = {row for records in found for row in records.rows["row"].to_pylist()}
    assert len(resources) - len(told) <= sum(records.empty for records in found)
    SOURCE.subjects([_file(data)], config)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200), st.booleans(), st.integers(0, 200))
def test_no_bytes_break_the_reader(noise: bytes, zipped: bool, at: int) -> None:
    data = b"\n".join(BIRTH % i for i in range(3))
    data = gzip.compress(data) if zipped else data
    with suppress(Unusable):
        rows = _read(data[:at] + noise + data[at:])
        assert {reason for _, _, reason in rows} <= {None, *REASONS}
