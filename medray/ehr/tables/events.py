"""Blocks to records: every mapped event of every row, and how many of them hold nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from medray.contracts import RECORDS, Records
from medray.ehr.tables.block import Block
from medray.ehr.tables.cells import text_of
from medray.ehr.tables.codes import names
from medray.ehr.tables.config import Event, Table
from medray.ehr.tables.mapping import MappedEvent
from medray.ehr.tables.numbers import numbers
from medray.ehr.tables.times import TIME, first_times

_NO_TIME, _NO_NUMBER, _MALFORMED, _EMPTY = "unreadable_time", "not_numeric", "malformed", "empty"
_REASONS = pa.array([_NO_TIME, _NO_NUMBER, _MALFORMED, _EMPTY])
_LARGEST = float(np.finfo(np.float32).max)


def records(table: Table, events: Sequence[MappedEvent], block: Block) -> Records:
    """The block's candidates in the order of rows, then of the recipe's events; each malformed
    row is one candidate with that reason. A row with a record's id of which nothing can be used is
    one that takes back what the record said before."""
    identity = _identity(table, block)
    found = [_candidates(event, block, identity) for event in events]
    if table.record:
        found = _with_emptied(table, found, block, identity)
    empty = len(block.rows) * len(events) - sum(batch.num_rows for batch in found)
    if len(block.malformed):
        found.append(_malformed(block))
    return Records(_in_order(found), empty, len(block.rows) + len(block.malformed))


def _identity(table: Table, block: Block) -> Mapping[str, pa.Array]:
    """What all events of a row share."""
    count = len(block.rows)
    nothing = pa.nulls(count, pa.string())
    record = [text_of(block.cells[name]) for name in table.record]
    return {
        "row": block.rows,
        "subject": text_of(block.cells[table.subject]),
        "record": pc.binary_join_element_wise(*record, "//") if record else nothing,
        "version": first_times((table.version,), block.cells, "end")[0].cast(pa.int64())
        if table.version
        else pa.nulls(count, pa.int64()),
        "encounter": text_of(block.cells[table.encounter]) if table.encounter else nothing,
        "defines_encounter": pa.repeat(table.defines_encounter, count),
        "withdrawn": _rows_with(table.withdrawn, block) if table.withdrawn else pa.repeat(False, count),
    }


def _rows_with(rows: Mapping[str, tuple[str, ...]], block: Block) -> pa.Array:
    """Which rows hold one of the texts in every of the columns."""
    return reduce(pc.and_, (_holds(block.words(name), texts) for name, texts in rows.items()))


def _holds(words: pa.DictionaryArray, texts: tuple[str, ...]) -> pa.Array:
    wanted = pc.is_in(words.dictionary, pa.array(texts, pa.string()))
    return wanted.take(words.indices).fill_null("" in texts)


def _candidates(mapped: MappedEvent, block: Block, identity: Mapping[str, pa.Array]) -> pa.RecordBatch:
    """The event's candidates that hold something, in the order of rows."""
    meant = _meant(mapped.event, block)
    if meant is not None:
        block = block.kept(meant, mapped.reads)
        identity = {name: column.filter(meant) for name, column in identity.items()}
    content = _content(mapped, block.without(mapped.event.missing), identity["withdrawn"])
    said = content.pop("said")
    columns = {**identity, **content}
    batch = pa.RecordBatch.from_arrays([columns[name] for name in RECORDS.names], schema=RECORDS)
    return batch if pc.all(said).as_py() else batch.filter(said)


def _with_emptied(
    table: Table, found: list[pa.RecordBatch], block: Block, identity: Mapping[str, pa.Array]
) -> list[pa.RecordBatch]:
    """The batches; of each row that has an id and no candidate without a reason, the first with one
    (or one that holds nothing) is such a candidate. A row that `where` leaves out of every event is
    none of the table's."""
    count = len(block.rows)
    if any(batch.num_rows == batch["reason"].null_count == count for batch in found):
        return found
    places = [np.searchsorted(block.rows.to_numpy(), batch["row"].to_numpy()) for batch in found]
    lost = pc.and_(identity["record"].is_valid(), _told_of(table, block)).to_numpy(zero_copy_only=False).copy()
    for batch, place in zip(found, places, strict=True):
        lost[place[batch["reason"].is_null().to_numpy(zero_copy_only=False)]] = False
    if not lost.any():
        return found
    reason, left = np.full(count, _REASONS.index(_EMPTY).as_py()), lost.copy()
    for number, (batch, place) in enumerate(zip(found, places, strict=True)):
        first = left[place]
        reason[place[first]] = batch["reason"].indices.to_numpy(zero_copy_only=False)[first]
        left[place[first]] = False
        found[number] = batch.filter(pa.array(~first)) if first.any() else batch
    rows = pa.array(lost)
    return [*found, _emptied(table, {name: column.filter(rows) for name, column in identity.items()}, reason[lost])]


def _told_of(table: Table, block: Block) -> pa.Array:
    """Which rows the filter `where` leaves to one of the table's events at least."""
    if not all(event.where for event in table.events):
        return pa.repeat(True, len(block.rows))
    return reduce(pc.or_, (_rows_with(event.where, block) for event in table.events))


def _emptied(table: Table, identity: Mapping[str, pa.Array], reason: np.ndarray) -> pa.RecordBatch:
    count = len(reason)
    return _bare(
        count,
        {name: identity[name] for name in ("row", "subject", "record", "version")}
        | {
            "code": pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int32()), count), [table.name]),
            "withdrawn": pa.repeat(True, count),
            "reason": pa.DictionaryArray.from_arrays(pa.array(reason, pa.int32()), _REASONS),
        },
    )


def _meant(event: Event, block: Block) -> pa.Array | None:
    """Which rows the event's filters leave; None: all of them."""
    masks = [_rows_with(event.where, block)] if event.where else []
    masks += [pc.invert(_holds(block.words(name), texts)) for name, texts in event.unless.items()]
    return reduce(pc.and_, masks) if masks else None


def _content(mapped: MappedEvent, block: Block, withdrawn: pa.Array) -> dict[str, pa.Array]:
    """What the event of each row says, and whether it says anything. What is taken back needs a
    code only."""
    event, code = mapped.event, names(mapped.codes, block)
    time, bad_time = _time(event, block)
    number, bad_number, text = _value(mapped, block)
    needed = pa.repeat(True, len(code))
    if event.time and event.time_required:
        needed = pc.or_(time.is_valid(), bad_time)
    if (mapped.value or event.text) and event.value_required:
        needed = pc.and_(needed, pc.or_(pc.or_(number.is_valid(), bad_number), text.is_valid()))
    return {
        "time": time,
        "code": code,
        "numeric_value": number,
        "text_value": text,
        "unit": names(mapped.units, block),
        "reason": _reasons(pc.and_not(bad_time, withdrawn), pc.and_not(bad_number, withdrawn)),
        "said": pc.and_(code.is_valid(), pc.or_(needed, withdrawn)),
    }


def _time(event: Event, block: Block) -> tuple[pa.Array, pa.Array]:
    if not event.time:
        return pa.nulls(len(block.rows), TIME), pa.repeat(False, len(block.rows))
    time, bad = first_times(event.time, block.cells, event.dates)
    if event.not_after:
        latest, _ = first_times(event.not_after, block.cells, "end")
        time = pc.if_else(time.is_valid(), pc.min_element_wise(time, latest), time)
    return time, bad


def _value(mapped: MappedEvent, block: Block) -> tuple[pa.Array, pa.Array, pa.Array]:
    """float32 numbers, which cells are no number though they should be one, and texts."""
    event, count = mapped.event, len(block.rows)
    text = text_of(block.cells[event.text]) if event.text else pa.nulls(count, pa.string())
    if mapped.value is None:
        return pa.nulls(count, pa.float32()), pa.repeat(False, count), text
    number, bad = numbers(block.cells[mapped.value])
    if event.scale != 1.0 or event.offset != 0.0:
        number = pc.add(pc.multiply(number, event.scale), event.offset)
    large = pc.greater(pc.abs(number), _LARGEST)
    if pc.any(large).as_py():
        number = pc.if_else(large.fill_null(False), pa.scalar(None, pa.float64()), number)
        bad = pc.or_(bad, large.fill_null(False))
    if event.text == mapped.value:
        text = pc.if_else(bad, text, pa.scalar(None, pa.string()))
        bad = pa.repeat(False, count)
    return number.cast(pa.float32(), safe=False), bad, text


def _reasons(bad_time: pa.Array, bad_number: pa.Array) -> pa.DictionaryArray:
    none = pa.scalar(None, pa.int32())
    index = pc.if_else(bad_time, pa.scalar(0, pa.int32()), pc.if_else(bad_number, pa.scalar(1, pa.int32()), none))
    return pa.DictionaryArray.from_arrays(index, _REASONS)


def _malformed(block: Block) -> pa.RecordBatch:
    count = len(block.malformed)
    reason = pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(2, pa.int32()), count), _REASONS)
    return _bare(count, {"row": block.malformed, "reason": reason})


def _bare(count: int, given: Mapping[str, pa.Array]) -> pa.RecordBatch:
    """Records of which nothing is known but some columns."""
    columns = {field.name: pa.nulls(count, field.type) for field in RECORDS}
    columns |= dict.fromkeys(("defines_encounter", "withdrawn"), pa.repeat(False, count)) | dict(given)
    return pa.RecordBatch.from_arrays([columns[name] for name in RECORDS.names], schema=RECORDS)


def _in_order(batches: list[pa.RecordBatch]) -> pa.RecordBatch:
    if len(batches) == 1:
        return batches[0]
    table = pa.Table.from_batches(batches).unify_dictionaries().combine_chunks()
    if table.num_rows == 0:
        return batches[0]
    order = np.argsort(table["row"].to_numpy(), kind="stable")
    return table.to_batches()[0].take(pa.array(order))
