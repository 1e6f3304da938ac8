"""One bucket of a run: which of its rows are new, and as which version.

Of the standing events, which come as a stream, only what meets a new row is kept: memory follows the
new rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from medray.contracts import Array
from medray.drivers.records.content import CONTENT, content
from medray.drivers.records.meet import Meeting, orders
from medray.drivers.records.read_events import moments, ranks
from medray.planning.record_versions import (
    DUPLICATE,
    FATES,
    IN_ERROR,
    INGESTED,
    KNOWN,
    ORPHAN,
    Occurrences,
    newer,
    settle,
)

Stream = Callable[[Array], Iterator[pa.Table]]  # sorted subjects -> their standing events, in pieces


@dataclass(frozen=True)
class Rules:
    """What the recipe says about records that belong nowhere or come again."""

    encounters: Literal["required", "any"]
    on_change: Literal["supersede", "conflict"]


@dataclass(frozen=True)
class Decided:
    """What becomes of N rows.

    Attributes:
        fate: int8 (N,), place in `FATES`.
        version: int32 (N,), the `input_version`.
        kept: int64 (K,), the ingested rows by subject, time (missing first), code, place.
    """

    fate: Array
    version: Array
    kept: Array


def decide(rows: pa.Table, standing: Stream, rules: Rules) -> Decided:
    """Decide over the rows (`STAGED`, in the order of the source) of one bucket."""
    subject, moment = rows["subject_id"].to_numpy(), moments(rows["time"])
    meeting = Meeting(rows, rules.encounters == "required")
    for piece in standing(np.unique(subject[_changes(subject)])):
        meeting.meet(piece)
    fate, version = np.full(len(subject), INGESTED, np.int8), np.ones(len(subject), np.int32)
    fate[meeting.orphans()] = ORPHAN
    code = ranks(rows["code"].combine_chunks())
    order = _order(subject, moment, code)
    plain = (meeting.record < 0) & (fate == INGESTED)
    taken_back = rows["withdrawn"].to_numpy()
    fate[plain & taken_back] = IN_ERROR
    plain &= ~taken_back
    fate[_repeated(rows, order[plain[order]], (subject, moment, code))] = DUPLICATE
    fate[meeting.known() & plain] = KNOWN
    named = np.flatnonzero((meeting.record >= 0) & (fate == INGESTED))
    if len(named):
        fate[named], version[named] = _settled(rows.take(pa.array(named)), meeting.record[named], meeting, rules)
    nothing = np.flatnonzero(fate == IN_ERROR)
    if len(nothing):
        fate[nothing] = _unused(rows["reason"].take(pa.array(nothing)).combine_chunks())
    return Decided(fate, version, order[fate[order] == INGESTED])


def _unused(reason: pa.DictionaryArray) -> Array:
    """int8 (N,): the fate of withdrawals that have nothing to take back, by the reason why nothing that
    they say can be used."""
    places = [FATES.index(word) if word in FATES else IN_ERROR for word in reason.dictionary.to_pylist()]
    fate: Array = np.array([*places, IN_ERROR], np.int8)[pc.fill_null(reason.indices, -1).to_numpy()]
    return fate


def _order(subject: Array, moment: Array, code: Array) -> Array:
    """int64 (N,): the rows by subject, moment, code; equals stay as they stood. Files mostly have the
    rows of a subject together and in time already, which the first sort is quick at."""
    order = np.lexsort((moment, subject))
    if not len(order):
        return order
    together = np.cumsum(_changes(subject[order]) | _changes(moment[order]))
    key = together * (int(code.max()) + 1) + code[order]
    sorted_rows: Array = order[np.argsort(key, kind="stable")]
    return sorted_rows


def _changes(values: Array) -> Array:
    """bool (N,): the value is the first, or another than the one before."""
    return np.append(True, values[1:] != values[:-1])[: len(values)]


def _repeated(rows: pa.Table, order: Array, sorted_by: tuple[Array, ...]) -> Array:
    """The rows whose content an earlier row has, among sorted rows. Only where the columns of the
    sort agree are the others looked at."""
    if len(order) < 2:
        return order[:0]
    agree = np.ones(len(order) - 1, bool)
    for values in sorted_by:
        here = values[order]
        agree &= here[1:] == here[:-1]
    close = np.sort(order[np.append(agree, False) | np.insert(agree, 0, False)])
    if not len(close):
        return close
    says = content(rows.select(CONTENT).take(pa.array(close)))
    alike = np.lexsort((says[:, 1], says[:, 0]))  # stable: the first in the source stays the first
    same = (says[alike[1:]] == says[alike[:-1]]).all(axis=1)
    repeated: Array = close[alike[1:][same]]
    return repeated


def _settled(rows: pa.Table, record: Array, meeting: Meeting, rules: Rules) -> tuple[Array, Array]:
    """Fate and version of rows that belong to records: those of one record and one row of a file
    are one occurrence of it."""
    file, row = rows["file"].to_numpy(), rows["row"].to_numpy()
    age, aged = orders(rows["record_order"])
    order = np.lexsort((row, file, _ages(record, age, aged), record))
    begins = np.ones(len(order), bool)
    begins[1:] = False
    for values in (record, file, row):
        begins[1:] |= np.diff(values[order]) != 0
    first = np.flatnonzero(begins)
    compared = meeting.met_any() or bool((np.diff(record[order][first]) == 0).any())
    says = content(rows)[order] if compared else np.zeros((len(order), 2), np.uint64)
    taken_back = rows["withdrawn"].to_numpy()[order]
    new = Occurrences(
        record[order][first],
        np.add.reduceat(says, first),
        np.logical_or.reduceat(taken_back, first),
        age[order][first],
        aged[order][first],
    )
    fates, versions = settle(new, meeting.versions(), rules.on_change)
    occurrence = np.cumsum(begins) - 1
    fate, version = np.empty(len(order), np.int8), np.empty(len(order), np.int32)
    fate[order], version[order] = fates[occurrence], versions[occurrence]
    return fate, version


def _ages(record: Array, order: Array, ordered: Array) -> Array:
    """int64 (N,): what sorts the rows of a record by their versions; 0 for the rows of a record of
    which one does not tell its version: they stay in the order of the source."""
    if not ordered.any():
        return np.zeros(len(record), np.int64)
    _, first, place = np.unique(record, return_index=True, return_inverse=True)
    whole = np.ones(len(first), bool)
    whole[place[~ordered]] = False
    return np.where(whole[place], newer(order, order[first][place]), 0)
