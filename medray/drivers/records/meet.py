"""New rows meet the events that stand: who defines their encounters, what is known, which versions there are."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from medray.contracts import Array
from medray.drivers.records.content import CONTENT, content, pair
from medray.planning.record_versions import Versions, of_standing

STANDING = (*CONTENT, "record_key", "record_order", "input_version", "withdrawn")  # columns read of standing events


class Meeting:
    """The new rows of a bucket, and of the standing ones only what meets them.

    Args:
        rows: of `STAGED`.
        required: encounters have to be defined.

    Attributes:
        record: int64 (N,), the record of each row, numbered by their ids; -1 where it has none.
    """

    def __init__(self, rows: pa.Table, required: bool) -> None:
        self._rows = rows
        subject = rows["subject_id"].to_numpy()
        self._encounter, self._lone, self._missing = _lone(rows, subject, required)
        key = _key(rows["record_key"])
        self.record = np.full(len(key), -1, np.int64)
        self._records, self.record[key >= 0] = np.unique(pair(subject[key >= 0], key[key >= 0]), return_inverse=True)
        self._met: list[tuple[Array, ...]] = []
        self._content = np.zeros(rows.num_rows, np.int64)  # place of each row's content in `_says`
        self._known = np.zeros(1, bool)  # of each content
        self._says: tuple[Array, Array] | None = None

    def meet(self, piece: pa.Table) -> None:
        """Take note of standing events (columns of `STANDING`) of the new rows' subjects."""
        subject, key = piece["subject_id"].to_numpy(), _key(piece["record_key"])
        encounter = _key(piece["encounter_key"])
        defines = piece["defines_encounter"].to_numpy() & (encounter >= 0) & ~piece["withdrawn"].to_numpy()
        if len(self._missing):
            self._missing = np.setdiff1d(self._missing, pair(subject[defines], encounter[defines]))
        self._meet_plain(piece.filter(pa.array(key < 0)))
        place = _places(self._records, pair(subject, key))
        found = np.flatnonzero((key >= 0) & (place >= 0))
        if len(found):
            rows = piece.take(pa.array(found))
            number, withdrawn = rows["input_version"].to_numpy(), rows["withdrawn"].to_numpy()
            self._met.append((place[found], number, content(rows), withdrawn, *orders(rows["record_order"])))

    def orphans(self) -> Array:
        """bool (N,): the encounter of the row is defined neither here nor in the lake."""
        found: Array = self._lone & (_places(self._missing, self._encounter) >= 0)
        return found

    def known(self) -> Array:
        """bool (N,): the row has no record's id, and an event stands that says the same."""
        found: Array = self._known[self._content] & (self.record < 0)
        return found

    def versions(self) -> Versions:
        """The highest versions that stand of the rows' records."""
        parts = [np.concatenate(part) for part in zip(*self._met, strict=True)] or [
            np.empty(0, np.int64), np.empty(0, np.int32), np.empty((0, 2), np.uint64), np.empty(0, bool),
            np.empty(0, np.uint64), np.empty(0, bool),
        ]  # fmt: skip
        return of_standing(len(self._records), *parts)

    def met_any(self) -> bool:
        """Whether any of the rows' records stands."""
        return bool(self._met)

    def _meet_plain(self, piece: pa.Table) -> None:
        if not piece.num_rows:
            return
        if self._says is None:
            self._says = self._contents()
        says, proof = self._says
        theirs = content(piece)
        place = _places(says, theirs[:, 0])
        met = np.flatnonzero(place >= 0)
        self._known[place[met][proof[place[met]] == theirs[met, 1]]] = True

    def _contents(self) -> tuple[Array, Array]:
        """The distinct contents of the rows without a record's id: their first halves, sorted, and
        the second ones beside them."""
        own = np.flatnonzero(self.record < 0)
        says = content(self._rows.select(CONTENT).take(pa.array(own)))
        halves, first, place = np.unique(says[:, 0], return_index=True, return_inverse=True)
        self._content[own] = place
        self._known = np.zeros(max(len(halves), 1), bool)
        return halves, says[first, 1]


def orders(column: pa.ChunkedArray) -> tuple[Array, Array]:
    """uint64 (N,): how new each row's version is; bool (N,): whether that is told."""
    return pc.fill_null(column, 0).to_numpy().view(np.uint64), column.is_valid().to_numpy()


def _lone(rows: pa.Table, subject: Array, required: bool) -> tuple[Array, Array, Array]:
    """The encounter of each row as one number; which rows need it defined; those that no row here
    defines, sorted."""
    encounter = _key(rows["encounter_key"])
    defines = rows["defines_encounter"].to_numpy() & ~rows["withdrawn"].to_numpy()
    lone = (encounter >= 0) & ~rows["defines_encounter"].to_numpy() & required
    if not lone.any():
        return encounter.view(np.uint64), lone, np.empty(0, np.uint64)
    both = pair(subject, encounter)
    needed = both[lone]
    needed = needed[np.append(True, needed[1:] != needed[:-1])]  # an encounter's rows mostly come together
    return both, lone, np.setdiff1d(needed, both[defines & (encounter >= 0)])


def _key(column: pa.ChunkedArray) -> Array:
    """int64 (N,), -1 where there is none."""
    filled: Array = pc.fill_null(column, -1).to_numpy()
    return filled


def _places(values: Array, wanted: Array) -> Array:
    """int64 (N,): where each wanted number stands among sorted values, -1 where it does not."""
    if not len(values):
        return np.full(len(wanted), -1, np.int64)
    place = np.minimum(np.searchsorted(values, wanted), len(values) - 1)
    return np.where(values[place] == wanted, place, -1)
