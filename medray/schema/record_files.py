"""`record_files`: one file of a record archive that was read, and where its records ended.

`candidates = ingested + known + empty + duplicate + quarantined`; a candidate is one event that a
row of the file could give.
"""

from __future__ import annotations

import pyarrow as pa

from medray.schema.contract import TableContract

COUNTS = ("ingested", "known", "empty", "duplicate", "quarantined")

RECORD_FILES = TableContract(
    name="record_files",
    version=1,
    schema=pa.schema(
        [
            pa.field("source_key", pa.string(), nullable=False),
            pa.field("source_etag", pa.string(), nullable=False),
            pa.field("size_bytes", pa.int64(), nullable=False),
            pa.field("table", pa.string(), nullable=False),  # of the archive, as the recipe names it
            pa.field("source_rows", pa.int64(), nullable=False),
            pa.field("candidates", pa.int64(), nullable=False),
            *(pa.field(name, pa.int64(), nullable=False) for name in COUNTS),
            pa.field("run_id", pa.string(), nullable=False),
        ]
    ),
    key=("source_key", "source_etag", "size_bytes"),
    statistics=("source_key", "size_bytes"),
)
