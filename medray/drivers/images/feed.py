"""The objects of a chunk in a stream, those inside archives among them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from medray.contracts import Fetch, SourceObject
from medray.drivers.listing import source_objects
from medray.errors import Unusable
from medray.recipes.ingest import DicomArchive
from medray.storage.archive import kind_of, members
from medray.storage.archive_kind import HEAD_BYTES, archive_kind, archive_name
from medray.storage.closed import closed
from medray.storage.failures import told
from medray.storage.member import Limits, Member
from medray.storage.store import Store


@dataclass(frozen=True)
class Item:
    """One input of a chunk.

    Attributes:
        parts: 0 for a plain object; else its name is an archive's, and this is part `part` of so many.
    """

    object: SourceObject
    part: int = 0
    parts: int = 0


def items_of(batch: pa.RecordBatch) -> list[Item]:
    """Rows of `LISTED` with `part` and `parts`."""
    numbers = (batch["part"].to_pylist(), batch["parts"].to_pylist())
    return [Item(*found) for found in zip(source_objects(batch), *numbers, strict=True)]


class Feed:
    """Objects and the way to fetch the one that came last: what `Source.read` is given.

    Members of an archive are objects whose URI is the archive's with `!/` and their name; their tag is
    the archive's with a checksum or place.

    Attributes:
        archives: for each part of an archive so far, (the archive, objects that came out of it, whether
            it is one). What could not be used of it counts as one.
    """

    def __init__(
        self,
        store: Store,
        source: DicomArchive,
        plain: Fetch,
        witnesses: Sequence[SourceObject],
        refuse: Callable[[SourceObject, Unusable], None],
    ) -> None:
        """`plain`: of objects that are no members. `refuse`: told of archives that cannot be used."""
        self._store, self._source, self._plain, self._witnesses = store, source, plain, witnesses
        self._refuse = refuse
        self._limits = Limits(source.archive_members, source.archive_ratio)
        self._member: Member | None = None
        self.archives: list[tuple[SourceObject, int, bool]] = []

    def __call__(self, wanted: SourceObject) -> bytes:
        member = self._member
        if member is None:
            return self._plain(wanted)
        data = member.read()
        if archive_name(member.name) and archive_kind(data[:HEAD_BYTES]):
            raise Unusable("nested_archive")
        return data

    def objects(self, items: Sequence[Item]) -> Iterator[SourceObject]:
        """Every object, in order."""
        for item in items:
            if item.parts:
                yield from self._opened(item)
            else:
                yield item.object

    def _opened(self, item: Item) -> Iterator[SourceObject]:
        count, is_archive = 0, False
        try:
            kind = self._asked(lambda: kind_of(self._store, self._source.uri, item.object))
            is_archive = kind is not None
            if kind is None and item.part == 0:
                count = 1
                yield item.object
            elif kind is not None:
                place = (item.part, item.parts)
                for member in members(self._store, self._source.uri, item.object, kind, place, self._limits):
                    self._member, count = member, count + 1
                    yield _as_object(item.object, member)
        except Unusable as error:
            if item.part == 0 or is_archive:  # one that cannot be opened is refused once
                count += 1
                self._refuse(item.object, error)
        finally:
            self._member = None
        self.archives.append((item.object, count, is_archive))

    def _asked(self, ask: Callable[[], Any]) -> Any:
        """What the store answers.

        Raises:
            Unusable("unreadable"): this object alone is gone or closed.
        """
        with told(f"archive {self._source.uri}"):
            try:
                return ask()
            except OSError as error:
                why = closed(error, self._store, self._witnesses)
                if why is None:
                    raise
                raise Unusable("unreadable", why) from None


def _as_object(archive: SourceObject, member: Member) -> SourceObject:
    return SourceObject(f"{archive.uri}!/{member.name}", member.size_bytes, f"{archive.etag}:{member.tag}")
