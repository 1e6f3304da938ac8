"""`events`: one event of a health record (MEDS 0.4 columns), with what tells its versions apart.

A run's files are buckets of subjects: file `k-of-n` holds the subjects whose id lies in the k-th
of n equal parts of [0, 2**63), sorted by subject, time (static facts, without a time, first), code.
For one `record_key` the rows with the highest `input_version` are the truth, and nothing is when
they are withdrawn. Where `record_order` is set, the difference of two of a record (modulo 2**64) is
by how much one is newer; alone it is a random number.
"""

from __future__ import annotations

import pyarrow as pa

from medray.schema.contract import TableContract

EVENTS = TableContract(
    name="events",
    version=2,
    schema=pa.schema(
        [
            pa.field("subject_id", pa.int64(), nullable=False),
            pa.field("time", pa.timestamp("us")),  # null: a static fact
            pa.field("code", pa.string(), nullable=False),
            pa.field("numeric_value", pa.float32()),
            pa.field("text_value", pa.string()),
            pa.field("unit", pa.string()),
            pa.field("encounter_key", pa.int64()),
            pa.field("defines_encounter", pa.bool_(), nullable=False),
            pa.field("record_key", pa.int64()),  # null: the record has no id and is never corrected
            pa.field("input_version", pa.int32(), nullable=False),
            pa.field("withdrawn", pa.bool_(), nullable=False),
            pa.field("source_key", pa.string(), nullable=False),  # the file it came from
            pa.field("record_order", pa.int64()),  # null: the source does not say how old a version is
        ]
    ),
    key=("subject_id", "time", "code", "record_key", "input_version"),
    statistics=("subject_id", "time", "input_version"),
)
