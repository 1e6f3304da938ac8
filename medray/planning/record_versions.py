"""What becomes of a record that comes once more: known, duplicate, next version, conflict, withdrawn.

A record is told by its own id; it comes (an occurrence) once in each row that has this id. Pure
array functions: a bucket has millions of records.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from medray.contracts import Array

FATES = ("ingested", "known", "duplicate", "orphan_encounter", "conflict", "entered_in_error")
INGESTED, KNOWN, DUPLICATE, ORPHAN, CONFLICT, IN_ERROR = range(len(FATES))


@dataclass(frozen=True)
class Versions:
    """The highest version of each of G records.

    Attributes:
        number: int32 (G,); 0 where the record does not stand in the lake.
        content: uint64 (G, 2), a hash of what it says.
        withdrawn: bool (G,).
    """

    number: Array
    content: Array
    withdrawn: Array


@dataclass(frozen=True)
class Occurrences:
    """O occurrences, those of one record together and in the order of the source.

    Attributes:
        record: int64 (O,), place of the record in `Versions`, ascending.
        content: uint64 (O, 2).
        withdrawn: bool (O,): the occurrence takes the record back.
    """

    record: Array
    content: Array
    withdrawn: Array


def settle(new: Occurrences, standing: Versions, on_change: Literal["supersede", "conflict"]) -> tuple[Array, Array]:
    """The fate (int8, place in `FATES`) and the version (int32) of each occurrence.

    All first occurrences are decided at once, then all second ones, and so on.
    """
    fate, version = np.zeros(len(new.record), np.int8), np.zeros(len(new.record), np.int32)
    number, content, withdrawn = standing.number.copy(), standing.content.copy(), standing.withdrawn.copy()
    of_run = np.zeros(len(number), bool)  # the highest version is of this run
    turn = np.arange(len(new.record)) - np.searchsorted(new.record, new.record)
    order = np.argsort(turn, kind="stable")
    for here in np.split(order, np.flatnonzero(np.diff(turn[order])) + 1):
        record = new.record[here]
        same = (content[record] == new.content[here]).all(axis=1) & ~withdrawn[record]
        same = np.where(new.withdrawn[here], withdrawn[record], same) & (number[record] > 0)
        nothing = new.withdrawn[here] & (number[record] == 0)
        changed = ~same & ~nothing
        refused = changed & (number[record] > 0) & (on_change == "conflict")
        fate[here] = np.select(
            [same, nothing, refused], [np.where(of_run[record], DUPLICATE, KNOWN), IN_ERROR, CONFLICT], INGESTED
        )
        kept = changed & ~refused
        number[record[kept]] += 1
        content[record[kept]], withdrawn[record[kept]] = new.content[here][kept], new.withdrawn[here][kept]
        of_run[record[kept]] = True
        version[here] = number[record]
    return fate, version


def of_standing(records: int, place: Array, number: Array, content: Array, withdrawn: Array) -> Versions:
    """The highest versions of `records` records, from rows that stand in the lake.

    Args:
        place: int64 (R,), the record of each row.
        number, content, withdrawn: of each row; the content of a version is the sum over its rows.
    """
    highest = np.zeros(records, np.int32)
    np.maximum.at(highest, place, number)
    newest = number == highest[place]
    sums, taken_back = np.zeros((records, 2), np.uint64), np.zeros(records, bool)
    np.add.at(sums, place[newest], content[newest])
    taken_back[place[newest & withdrawn]] = True
    return Versions(highest, sums, taken_back)
