"""The linkage table: from a pseudonym back to the original, at its own URI with its own credentials.

Only ingest writes it; rows never pass through the driver, a log or Ray's object store.
"""

from __future__ import annotations

from collections.abc import Collection

import pyarrow as pa
import pyarrow.compute as pc

from medray.contracts import Link
from medray.errors import StorageError
from medray.schema.contract import TableContract
from medray.storage import delta
from medray.storage.chunk_file import read_facts, write_table
from medray.storage.commit import data_path, new_file
from medray.storage.failures import told
from medray.storage.plans import Plan
from medray.storage.store import LINKAGE
from medray.storage.uri import join

LINKS = TableContract(
    name="linkage",
    version=1,
    schema=pa.schema(
        [
            pa.field("kind", pa.string(), nullable=False),  # subject, study, series, instance, source
            pa.field("pseudonym", pa.string(), nullable=False),
            pa.field("original", pa.string(), nullable=False),
        ]
    ),
    key=("kind", "pseudonym"),
    statistics=("pseudonym",),
)


class LinkageWriter:
    """Collects the links of one chunk; without a URI it drops them."""

    def __init__(self, uri: str | None, run_id: str, chunk: int) -> None:
        self._uri, self._path = uri, data_path(run_id, f"{chunk:06d}")
        self._links: dict[tuple[str, str], str] = {}

    def __enter__(self) -> LinkageWriter:
        return self

    def __exit__(self, *error: object) -> None:
        self._links.clear()

    def add(self, link: Link) -> None:
        if self._uri is not None:
            original = link.original.encode("utf-8", "surrogateescape")  # a file's name may be Latin-1
            self._links[link.kind, link.pseudonym] = original.decode("utf-8", "backslashreplace")

    def publish(self) -> None:
        """Write the file that `commit_linkage` will name."""
        if self._uri is None or not self._links:
            return
        rows = [
            {"kind": kind, "pseudonym": key, "original": self._links[kind, key]} for kind, key in sorted(self._links)
        ]
        with told(self._uri):
            write_table(
                LINKAGE,
                join(delta.table_uri(self._uri, LINKS.name), self._path),
                LINKS,
                pa.Table.from_pylist(rows, schema=LINKS.schema).to_batches(),
                {},
            )


def commit_linkage(uri: str, plan: Plan) -> None:
    """Name the links of a run's chunks, before any table of the lake names its rows."""
    files = []
    for chunk in range(plan.chunks):
        path = data_path(plan.run_id, f"{chunk:06d}")
        with told(uri):
            facts = read_facts(LINKAGE, join(delta.table_uri(uri, LINKS.name), path))
        if facts is not None:
            files.append(new_file(plan, path, facts))
    delta.append(LINKAGE, uri, LINKS, plan.run_id, files)


def originals(uri: str, pseudonym: str) -> list[tuple[str, str]]:
    """(kind, original) of a pseudonym; empty when it is unknown."""
    table = delta.open_table(LINKAGE, uri, LINKS)
    if table is None:
        return []
    found: set[tuple[str, str]] = set()
    where = pc.field("pseudonym") == pseudonym
    for batch in delta.scan(LINKAGE, uri, LINKS, int(table.version()), ("kind", "original"), where):
        found.update(zip(batch["kind"].to_pylist(), batch["original"].to_pylist(), strict=True))
    return sorted(found)


def links_among(uri: str, pseudonyms: Collection[str]) -> dict[tuple[str, str], str]:
    """(kind, pseudonym) -> original of those that are known; several originals of one are joined by " | ".

    Raises:
        StorageError: there is no linkage table, or it may not be read.
    """
    table = delta.open_table(LINKAGE, uri, LINKS)
    if table is None:
        raise StorageError(
            f"linkage table {uri}", "no table", "the linkage table that the ingest has written", "check [linkage] uri"
        )
    found: dict[tuple[str, str], set[str]] = {}
    where = pc.field("pseudonym").isin(pa.array(sorted(pseudonyms), pa.string()))
    for batch in delta.scan(LINKAGE, uri, LINKS, int(table.version()), LINKS.schema.names, where):
        for row in batch.to_pylist():
            found.setdefault((row["kind"], row["pseudonym"]), set()).add(row["original"])
    return {key: " | ".join(sorted(originals)) for key, originals in found.items()}
