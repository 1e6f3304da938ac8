"""The mapping of one table, bound to the columns that one file has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from medray.ehr.tables.config import Event, Table
from medray.ehr.tables.template import Piece, Template, columns_of, filled
from medray.errors import Unusable


@dataclass(frozen=True)
class MappedEvent:
    """One candidate event of each row: the recipe's `Event`, a melted column filled in."""

    event: Event
    code: Template
    unit: Template
    value: str | None
    reads: frozenset[str]


@dataclass(frozen=True)
class TableMapping:
    """What is read of a file.

    Attributes:
        table: the recipe's table.
        columns: name in the recipe -> name in the file, None where an optional one is absent.
        events: the candidates of a row, in the order of the recipe.
    """

    table: Table
    columns: Mapping[str, str | None]
    events: tuple[MappedEvent, ...]


def bind(table: Table, header: Sequence[str]) -> TableMapping:
    """The mapping for a file with these columns. Raises `Unusable` "no_columns"."""
    named = table.reads.union(*(event.reads for event in table.events))
    taken = {_found(name, header) for name in named}
    free = [name for name in header if name not in taken]
    events = tuple(mapped for event in table.events for mapped in _mapped(event, header, free))
    wanted = sorted(named.union(*(event.reads for event in events)))
    columns = {name: _found(name, header) for name in wanted}
    absent = [name for name in wanted if columns[name] is None and name not in table.optional]
    if absent:
        raise Unusable("no_columns", f"lacks {', '.join(absent)}")
    return TableMapping(table, columns, events)


def _found(name: str, header: Sequence[str]) -> str | None:
    if name in header:
        return name
    alike = [column for column in header if column.casefold() == name.casefold()]
    return alike[0] if len(alike) == 1 else None


def _mapped(event: Event, header: Sequence[str], free: Sequence[str]) -> Iterator[MappedEvent]:
    if not event.columns:
        yield MappedEvent(event, event.code_template, event.unit_template, event.value, event.reads)
        return
    for name in _melted(event.columns, header, free):
        pieces = {"column": Piece(name), "cell": Piece(None, name)}
        code, unit = filled(event.code_template, pieces), filled(event.unit_template, pieces)
        value = None if "cell" in columns_of(event.code_template) else name
        yield MappedEvent(event, code, unit, value, event.reads | {name})


def _melted(names: Sequence[str], header: Sequence[str], free: Sequence[str]) -> list[str]:
    """Column names as written; those of a pattern as the file has them, in its order."""
    melted = list[str]()
    for name in names:
        matching = [] if _found(name, header) else [column for column in free if fnmatchcase(column, name)]
        melted += matching or [name]
    return list(dict.fromkeys(melted))
