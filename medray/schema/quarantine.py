"""`quarantine`: one input that could not be used, or was there already under another name."""

from __future__ import annotations

import pyarrow as pa

from medray.schema.contract import TableContract

QUARANTINE = TableContract(
    name="quarantine",
    version=3,
    schema=pa.schema(
        [
            pa.field("source_key", pa.string(), nullable=False),
            pa.field("source_etag", pa.string(), nullable=False),
            pa.field("size_bytes", pa.int64(), nullable=False),
            pa.field("stage", pa.string(), nullable=False),  # ingest, prepare
            pa.field("reason", pa.string(), nullable=False),  # schema.reasons.REASONS
            pa.field("detail", pa.string()),
            pa.field("TransferSyntaxUID", pa.string()),
            pa.field("SOPInstanceUID", pa.string()),
            pa.field("input_version", pa.int32()),
            pa.field("input_sha256", pa.string()),
            # stage "prepare": the preparation that failed; another one may succeed
            pa.field("prepare_hash", pa.string()),
            # what the recipe said, where that is to blame; another recipe reads the input again: about its
            # table for a file of records (no_columns, not_text), about burned-in text for an image
            pa.field("mapping_hash", pa.string()),
            # a record of a file, from 0; null when it is the whole object
            pa.field("row_index", pa.int64()),
            pa.field("run_id", pa.string(), nullable=False),
        ]
    ),
    key=("source_key", "source_etag", "stage", "prepare_hash", "row_index", "run_id"),
    statistics=("source_key", "size_bytes"),
)
