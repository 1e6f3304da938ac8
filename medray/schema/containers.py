"""`containers`: one archive (zip, tar) whose members were read: all of them are known by this row."""

from __future__ import annotations

import pyarrow as pa

from medray.schema.contract import TableContract

CONTAINERS = TableContract(
    name="containers",
    version=1,
    schema=pa.schema(
        [
            pa.field("source_key", pa.string(), nullable=False),
            pa.field("source_etag", pa.string(), nullable=False),
            pa.field("size_bytes", pa.int64(), nullable=False),
            # what it counts for in every sum: its members, and one for what is left of a broken one
            pa.field("members", pa.int64(), nullable=False),
            pa.field("run_id", pa.string(), nullable=False),
        ]
    ),
    key=("source_key", "source_etag", "size_bytes"),
    statistics=("source_key", "size_bytes"),
)
