"""Lines of an export to batches of `RECORDS`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import pyarrow as pa

from medray.contracts import RECORDS, RecordFile, Records
from medray.ehr.fhir.config import FhirConfig
from medray.ehr.fhir.event import Event, refused
from medray.ehr.fhir.lines import lines
from medray.ehr.fhir.resource import events_of
from medray.ehr.fhir.shapes import Json

ROWS = 20_000
LINE_BYTES = 32 * 2**20  # a batch ends here too: long lines hold long texts or many components


def _no_constant(name: str) -> None:
    raise ValueError("NaN and Infinity are no JSON")


_JSON = json.JSONDecoder(parse_constant=_no_constant)


def resource_of(line: bytes | None) -> Json | None:
    """The resource of one line; None for one that is overlong, no UTF-8, no JSON object, or too deep."""
    if line is None:
        return None
    try:
        resource = _JSON.decode(line.decode())
    except (ValueError, RecursionError):
        return None
    return resource if type(resource) is dict else None


class _Batch:
    """Events until they are enough for a batch."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self.events: list[Event] = []
        self.empty = self.lines = self.line_bytes = 0

    def add(self, number: int, line: bytes | None, config: FhirConfig) -> None:
        resource = resource_of(line)
        found = [refused("malformed")] if resource is None else events_of(resource, config)
        events = [event for event in found if event is not None]
        self.events += events
        self.numbers += [number] * len(events)
        self.empty += len(found) - len(events)
        self.lines += 1
        self.line_bytes += len(line or b"")

    @property
    def full(self) -> bool:
        return len(self.events) >= ROWS or self.line_bytes >= LINE_BYTES

    def records(self) -> Records:
        columns = [self.numbers, *zip(*self.events, strict=True)] if self.events else [[] for _ in RECORDS]
        arrays = [_array(column, field.type) for column, field in zip(columns, RECORDS, strict=True)]
        return Records(pa.record_batch(arrays, schema=RECORDS), self.empty, self.lines)


def _array(values: Sequence[object], kind: pa.DataType) -> pa.Array:
    if pa.types.is_dictionary(kind):  # encoding strings is 5 times faster than building from Python
        return pa.array(values, kind.value_type).dictionary_encode()
    return pa.array(values, kind)


def read(file: RecordFile, table: str, part: int, config: FhirConfig, found: None = None) -> Iterator[Records]:
    """The file's events, about 20,000 at a time; each line is read by its own resource type.

    Raises `Unusable` as `lines` does; what came before is then not to be used either.
    """
    batch = _Batch()
    for number, line in lines(file, config.line_bytes):
        batch.add(number, line, config)
        if batch.full:
            yield batch.records()
            batch = _Batch()
    if batch.lines:
        yield batch.records()
