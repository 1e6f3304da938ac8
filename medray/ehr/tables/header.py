"""Columns of a file by the names that the recipe gives them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from medray.errors import Unusable

Columns = Mapping[str, str | None]  # name in the recipe -> name in the file, None where it is absent


def found(name: str, header: Sequence[str]) -> str | None:
    """The column as written, or else the one that differs in case; None where that is not one."""
    exact = [column for column in header if column == name]
    alike = exact or [column for column in header if column.casefold() == name.casefold()]
    return alike[0] if len(alike) == 1 else None


def columns(names: Collection[str], optional: Collection[str], header: Sequence[str]) -> Columns:
    """Where each name stands. Raises `Unusable` "no_columns" for an absent one that is not optional."""
    places = {name: found(name, header) for name in sorted(names)}
    absent = [name for name, place in places.items() if place is None and name not in optional]
    if absent:
        raise Unusable("no_columns", f"lacks {', '.join(absent)}")
    return places
