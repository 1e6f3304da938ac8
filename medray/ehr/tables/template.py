"""Names of events put together from fixed words and cells: `LAB//{itemid}//{valueuom|UNK}`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_PIECE = re.compile(r"\{([^{}|]+)(?:\|([^{}]*))?\}")


@dataclass(frozen=True)
class Piece:
    """A fixed word, or the cell of a column.

    Attributes:
        text: the word; for a column, what stands for an empty cell (None: nothing does, and the
            whole name is null then).
        column: the column, None for a fixed word.
    """

    text: str | None
    column: str | None = None


Template = tuple[Piece, ...]


def parsed(template: str) -> Template:
    """Its pieces, in order. Raises ValueError for an empty template or a brace without its match."""
    pieces, end = list[Piece](), 0
    for match in _PIECE.finditer(template):
        pieces += [Piece(template[end : match.start()]), Piece(match[2], match[1])]
        end = match.end()
    pieces.append(Piece(template[end:]))
    if any(piece.column is None and set(piece.text or "") & set("{}") for piece in pieces):
        raise ValueError("a brace without its match; write {column} or {column|word for an empty cell}")
    found = tuple(piece for piece in pieces if piece.column or piece.text)
    if not found:
        raise ValueError("an empty template; write words and {column}")
    return found


def columns_of(template: Template) -> frozenset[str]:
    """The columns that it reads."""
    return frozenset(piece.column for piece in template if piece.column is not None)


def filled(template: Template, pieces: Mapping[str, Piece]) -> Template:
    """The template with columns replaced by other pieces, as melting a wide table asks for."""
    return tuple(pieces.get(piece.column, piece) if piece.column else piece for piece in template)
