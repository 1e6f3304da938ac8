"""The events of one table, bound to the columns that one file has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from medray.ehr.tables.config import Event, Table
from medray.ehr.tables.header import Columns, columns, found
from medray.ehr.tables.template import Piece, Template, columns_of, filled


@dataclass(frozen=True)
class MappedEvent:
    """One candidate event of each row: the recipe's `Event`, a melted column filled in."""

    event: Event
    codes: tuple[Template, ...]
    units: tuple[Template, ...]
    value: str | None
    reads: frozenset[str]


def mapped_events(table: Table, header: Sequence[str]) -> tuple[MappedEvent, ...]:
    """The candidates of a row of a file with these columns, in the order of the recipe."""
    taken = {found(name, header) for name in table.reads}
    free = [name for name in header if name not in taken]
    return tuple(mapped for event in table.events for mapped in _mapped(event, header, free))


def columns_of_file(table: Table, events: Sequence[MappedEvent], header: Sequence[str]) -> Columns:
    """The columns of the file that are read for them. Raises `Unusable` "no_columns"."""
    names = table.reads.union(*(event.reads for event in events)) - table.joined
    return columns(names, table.optional, header)


def _mapped(event: Event, header: Sequence[str], free: Sequence[str]) -> Iterator[MappedEvent]:
    if not event.columns:
        yield MappedEvent(event, event.codes, event.units, event.value, event.reads)
        return
    for name in _melted(event.columns, header, free):
        pieces = {"column": Piece(name), "cell": Piece(None, name)}
        codes = tuple(filled(code, pieces) for code in event.codes)
        units = tuple(filled(unit, pieces) for unit in event.units)
        value = None if any("cell" in columns_of(code) for code in event.codes) else name
        yield MappedEvent(event, codes, units, value, event.reads | {name})


def _melted(names: Sequence[str], header: Sequence[str], free: Sequence[str]) -> list[str]:
    """Column names as written; those of a pattern as the file has them, in its order."""
    melted = list[str]()
    for name in names:
        matching = [] if found(name, header) else [column for column in free if fnmatchcase(column, name)]
        melted += matching or [name]
    return list(dict.fromkeys(melted))
