"""The objects of an archive by their pseudonymous identity, in columns: some 200 bytes an object."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from medray.contracts import SourceObject
from medray.errors import StorageError
from medray.privacy.pseudonyms import Pseudonyms
from medray.storage.failures import told
from medray.storage.pages import LISTED

ID = ("source_key", "source_etag", "size_bytes")
Identity = tuple[str, str, int]
ByIdentity = dict[Identity, SourceObject]
Rows = npt.NDArray[np.int64]
_Digests = npt.NDArray[np.uint8]  # (N, 16)


class Listing:
    """Every object of an archive, in order of its URI.

    Attributes:
        objects: columns of `LISTED`. Identifying.
    """

    def __init__(self, objects: pa.Table, keys: _Digests, tags: _Digests) -> None:
        """`keys`, `tags`: of each object, what `ID` holds as hexadecimal digits."""
        self.objects = objects
        self._keys, self._tags = keys, tags
        self._sizes: Rows = objects["size_bytes"].to_numpy()
        heads = _heads(keys)
        self._order = np.argsort(heads)
        self._heads = heads[self._order]

    def __len__(self) -> int:
        return int(self.objects.num_rows)

    @property
    def sizes(self) -> Rows:
        """int64 (N,): bytes of each object."""
        return self._sizes

    def identities(self, rows: Rows) -> dict[str, list[Any]]:
        """The columns `ID` of these rows."""
        keys, tags = _texts(self._keys[rows]), _texts(self._tags[rows])
        return dict(zip(ID, (keys, tags, self._sizes[rows].tolist()), strict=True))

    def rows_of(self, identities: pa.RecordBatch | pa.Table) -> Rows:
        """The row of each identity (columns `ID`), -1 where it is not listed."""
        keys, tags = _digests(identities["source_key"]), _digests(identities["source_etag"])
        if not len(self):
            return np.full(len(keys), -1)
        places = np.searchsorted(self._heads, _heads(keys))
        rows = self._order[np.minimum(places, len(self) - 1)]
        same = (self._keys[rows] == keys).all(1) & (self._tags[rows] == tags).all(1)
        same &= self._sizes[rows] == identities["size_bytes"].to_numpy()
        return np.where(same, rows, -1)

    def by_identity(self) -> ByIdentity:
        """The objects as a dict, for archives of few and large files."""
        identities = self.identities(np.arange(len(self)))
        return dict(zip(zip(*identities.values(), strict=True), source_objects(self.objects), strict=True))


def source_objects(objects: pa.Table | pa.RecordBatch) -> list[SourceObject]:
    """Rows of `LISTED` as objects."""
    uris, sizes, tags = (objects[name].to_pylist() for name in LISTED.names)
    return [
        SourceObject(uri.decode("utf-8", "surrogateescape"), size, tag)
        for uri, size, tag in zip(uris, sizes, tags, strict=True)
    ]


def list_archive(pages: Iterable[pa.RecordBatch], place: str, pseudonyms: Pseudonyms) -> Listing:
    """The objects that come in pages of `LISTED`, in order of their URI; what comes twice is one.

    Args:
        place: the archive, for messages.

    Raises:
        StorageError: nothing is there, or the store failed.
    """
    batches, keys, tags = [], [], []
    with told(place):
        for page in pages:
            batches.append(page)
            keys.append(pseudonyms.source_digests(page["uri"].to_pylist()))
            tags.append(pseudonyms.etag_digests(page["etag"].to_pylist()))
    objects = pa.Table.from_batches(batches, schema=LISTED)
    if not objects.num_rows:
        raise StorageError(place, "no object", "one object or more", "check the URI; a prefix ends at a slash")
    rows = _in_order(objects["uri"])
    every = (np.concatenate(keys), np.concatenate(tags))
    return Listing(objects, *every) if rows is None else Listing(objects.take(rows), *(part[rows] for part in every))


def _in_order(uris: pa.ChunkedArray) -> Rows | None:
    """The rows in order of their URIs, each once; None where they are so already."""
    if pc.all(pc.less(uris[:-1], uris[1:])).as_py() is not False:
        return None
    order = pc.sort_indices(uris).to_numpy()
    found = uris.take(pa.array(order))
    first = np.ones(len(order), bool)
    first[1:] = pc.not_equal(found[1:], found[:-1]).to_numpy()
    kept: Rows = order[first].astype(np.int64)
    return kept


def _heads(digests: _Digests) -> npt.NDArray[np.uint64]:
    return np.ascontiguousarray(digests[:, :8]).view(np.uint64)[:, 0]


def _digests(texts: pa.Array | pa.ChunkedArray) -> _Digests:
    return np.frombuffer(bytes.fromhex("".join(texts.to_pylist())), np.uint8).reshape(-1, 16)


def _texts(digests: _Digests) -> list[str]:
    text = digests.tobytes().hex()
    return [text[at : at + 32] for at in range(0, len(text), 32)]
