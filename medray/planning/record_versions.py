"""What becomes of a record that comes once more: known, duplicate, next version, conflict, withdrawn.

A record is told by its own id; it comes (an occurrence) once in each row that has this id. Pure
array functions: a bucket has millions of records.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from medray.contracts import Array

FATES = (
    "ingested", "known", "duplicate", "orphan_encounter", "conflict", "entered_in_error",
    # of a record of which nothing can be used, and none stands that it would take back
    "empty", "unreadable_time", "not_numeric", "no_code",
)  # fmt: skip
INGESTED, KNOWN, DUPLICATE, ORPHAN, CONFLICT, IN_ERROR, EMPTY = range(7)


@dataclass(frozen=True)
class Versions:
    """What stands in the lake of G records.

    Attributes:
        number: int32 (G,), the highest version; 0 where the record does not stand.
        content: uint64 (G, 2), a hash of what that says.
        withdrawn: bool (G,), it takes the record back.
        past: uint64 (H,), sorted: `_told` of every version that stands.
        order: uint64 (G,), of the highest version: `ordered` where it has one.
        ordered: bool (G,).
    """

    number: Array
    content: Array
    withdrawn: Array
    past: Array
    order: Array
    ordered: Array


@dataclass(frozen=True)
class Occurrences:
    """O occurrences, those of one record together and in their order: the newest last.

    Attributes:
        record: int64 (O,), place of the record in `Versions`, ascending.
        content: uint64 (O, 2).
        withdrawn: bool (O,): the occurrence takes the record back.
        order: uint64 (O,), how new it is, to be compared by `newer`: `ordered` where it is told.
        ordered: bool (O,).
    """

    record: Array
    content: Array
    withdrawn: Array
    order: Array
    ordered: Array


def newer(order: Array, than: Array) -> Array:
    """int64 (N,): by how much each of two orders (uint64) of one record is the newer."""
    apart: Array = (order - than).view(np.int64)  # modulo 2**64: they share an unknown offset
    return apart


def settle(new: Occurrences, standing: Versions, on_change: Literal["supersede", "conflict"]) -> tuple[Array, Array]:
    """The fate (int8, place in `FATES`) and the version (int32) of each occurrence.

    All first occurrences are decided at once, then all second ones, and so on. What is older than what
    stands is known, whatever it says. What an archive tells before it tells what stands is the past,
    and known as far as it stands too, or said nothing: an export of whole histories brings nothing new
    when it comes again.
    """
    fate, version = np.full(len(new.record), KNOWN, np.int8), standing.number[new.record]
    state = replace(
        standing,
        number=standing.number.copy(),
        content=standing.content.copy(),
        withdrawn=standing.withdrawn.copy(),
    )
    of_run = np.zeros(len(state.number), bool)  # the highest version is of this run
    turn = np.arange(len(new.record)) - np.searchsorted(new.record, new.record)
    open_ = np.flatnonzero(~_is_past(new, standing) & ~_is_older(new, standing))
    order = open_[np.argsort(turn[open_], kind="stable")]
    for here in np.split(order, np.flatnonzero(np.diff(turn[order])) + 1):
        record = new.record[here]
        same, stands = _same(new, here, state), state.number[record] > 0
        nothing = new.withdrawn[here] & ~stands
        refused = ~same & stands & (on_change == "conflict")
        again = np.where(of_run[record], DUPLICATE, KNOWN)
        fate[here] = np.select([same, nothing, refused], [again, IN_ERROR, CONFLICT], INGESTED)
        kept = here[fate[here] == INGESTED]
        changed = new.record[kept]
        state.number[changed] += 1
        state.content[changed], state.withdrawn[changed] = new.content[kept], new.withdrawn[kept]
        of_run[changed] = True
        version[here] = state.number[record]
    return fate, version


def of_standing(
    records: int, place: Array, number: Array, content: Array, withdrawn: Array, order: Array, ordered: Array
) -> Versions:
    """What stands of `records` records, from their rows in the lake.

    Args:
        place: int64 (R,), the record of each row.
        number, content, withdrawn: of each row; the content of a version is the sum over its rows.
        order, ordered: of each row, as `Versions` has them; the same on all rows of a version.
    """
    by_version = np.lexsort((number, place))
    place, number, content, withdrawn, order, ordered = (
        rows[by_version] for rows in (place, number, content, withdrawn, order, ordered)
    )
    first = np.flatnonzero(np.insert((np.diff(place) != 0) | (np.diff(number) != 0), 0, True)[: len(place)])
    if len(first):
        content, withdrawn = np.add.reduceat(content, first), np.logical_or.reduceat(withdrawn, first)
    place, number, order, ordered = place[first], number[first], order[first], ordered[first]
    found = Versions(
        np.zeros(records, np.int32),
        np.zeros((records, 2), np.uint64),
        np.zeros(records, bool),
        np.sort(_told(place, content, withdrawn)),
        np.zeros(records, np.uint64),
        np.zeros(records, bool),
    )
    found.number[place], found.content[place], found.withdrawn[place] = number, content, withdrawn  # the last stays
    found.order[place], found.ordered[place] = order, ordered
    return found


def _same(new: Occurrences, here: Array, state: Versions) -> Array:
    """bool: the occurrence says what the record's highest version says."""
    record = new.record[here]
    alike = (state.content[record] == new.content[here]).all(axis=1)
    taken_back = state.withdrawn[record]
    same: Array = np.where(new.withdrawn[here], taken_back, alike & ~taken_back) & (state.number[record] > 0)
    return same


def _is_past(new: Occurrences, standing: Versions) -> Array:
    """bool (O,): the occurrence stands or takes the record back, and the record's highest version comes
    later again."""
    if not len(standing.past):
        return np.zeros(len(new.record), bool)
    everything = np.arange(len(new.record))
    highest = np.full(len(standing.number), -1, np.int64)
    np.maximum.at(highest, new.record, np.where(_same(new, everything, standing), everything, -1))
    told = _told(new.record, new.content, new.withdrawn)
    stands = standing.past[np.minimum(np.searchsorted(standing.past, told), len(standing.past) - 1)] == told
    past: Array = (stands | new.withdrawn) & (everything < highest[new.record])
    return past


def _is_older(new: Occurrences, standing: Versions) -> Array:
    """bool (O,): the occurrence is older than the record's highest version."""
    both = new.ordered & standing.ordered[new.record]
    older: Array = both & (newer(new.order, standing.order[new.record]) < 0)
    return older


def _told(record: Array, content: Array, withdrawn: Array) -> Array:
    """uint64: what is told of which record, as one number; all withdrawals of a record are alike."""
    says = np.where(withdrawn, np.uint64(1), content[:, 0])
    told: Array = (says ^ (record.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15))) * np.uint64(0xD1B54A32D192ED03)
    return told
