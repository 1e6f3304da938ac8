"""What a table of the lake is: its columns, its key, its version."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from medray.errors import SchemaError

VERSION_FIELD = "medray.schema_version"


@dataclass(frozen=True)
class TableContract:
    """One table of the lake.

    Attributes:
        name: folder name below `tables/` and the word used in messages.
        version: raised when a column is added, dropped or changes its meaning.
        schema: the columns; only types that Delta knows (no unsigned integers).
        key: the columns that name a row.
        statistics: columns whose Parquet min/max may be written. They are pseudonymous keys,
            dates and counts; text and bytes never stand here.
    """

    name: str
    version: int
    schema: pa.Schema
    key: tuple[str, ...]
    statistics: tuple[str, ...]

    def tagged_schema(self) -> pa.Schema:
        """The columns with the version in the schema's metadata, as files carry it."""
        return self.schema.with_metadata({VERSION_FIELD: str(self.version)})


def check_version(contract: TableContract, found: int, where: str) -> None:
    """Refuse a table that a newer medray wrote.

    Raises:
        SchemaError: `found` is above the version this code knows.
    """
    if found > contract.version:
        raise SchemaError(
            where=where,
            found=f"table '{contract.name}' with schema version {found}",
            allowed=f"schema version {contract.version} or older",
            do="upgrade medray on every machine that reads this lake",
        )
