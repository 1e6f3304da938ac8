"""`runs`: one committed run. A run exists when its row does; the row names what it may be read with."""

from __future__ import annotations

import pyarrow as pa

from medray.schema.contract import TableContract

RUNS = TableContract(
    name="runs",
    version=2,
    schema=pa.schema(
        [
            pa.field("run_id", pa.string(), nullable=False),
            pa.field("job", pa.string(), nullable=False),
            pa.field("name", pa.string(), nullable=False),
            pa.field("run_date", pa.date32(), nullable=False),
            pa.field("code_version", pa.string(), nullable=False),
            pa.field("recipe_sha256", pa.string(), nullable=False),
            pa.field("recipe", pa.string(), nullable=False),  # JSON, resolved, without secrets
            pa.field("counts", pa.map_(pa.string(), pa.int64()), nullable=False),
            pa.field("tables_read", pa.map_(pa.string(), pa.int64()), nullable=False),
            pa.field("tables_written", pa.map_(pa.string(), pa.int64()), nullable=False),
            pa.field("files", pa.list_(pa.string()), nullable=False),
            pa.field("children", pa.list_(pa.string()), nullable=False),  # run ids of a chain
            pa.field("model_sha256", pa.string()),
            pa.field("report_uri", pa.string()),
            pa.field("host_facts", pa.string(), nullable=False),  # JSON: cpus, memory, versions
            pa.field("planned_at", pa.timestamp("us"), nullable=False),
            pa.field("committed_at", pa.timestamp("us"), nullable=False),
            # "published" or "held": of nights, and of what they scored; null of what no gate judges
            pa.field("verdict", pa.string()),
            # JSON of a night: what it looked like and what the gate found (planning/gate)
            pa.field("facts", pa.string()),
        ]
    ),
    key=("run_id",),
    statistics=("run_id", "run_date"),
)
