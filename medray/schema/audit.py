"""`audit`: one event that an auditor may ask about."""

from __future__ import annotations

import pyarrow as pa

from medray.schema.contract import TableContract

AUDIT = TableContract(
    name="audit",
    version=1,
    schema=pa.schema(
        [
            pa.field("event", pa.string(), nullable=False),  # EVENTS
            pa.field("at", pa.timestamp("us"), nullable=False),
            pa.field("run_id", pa.string(), nullable=False),
            pa.field("job", pa.string(), nullable=False),
            pa.field("run_date", pa.date32(), nullable=False),
            pa.field("name", pa.string(), nullable=False),  # table, model, recipe or run that it is about
            pa.field("version", pa.int64()),  # of the table or model
            pa.field("actor", pa.string(), nullable=False),  # who or what started it, as the machine knows them
            pa.field("detail", pa.string(), nullable=False),  # JSON
        ]
    ),
    key=("run_id", "event", "name", "version"),
    statistics=("at", "run_date", "run_id"),
)

EVENTS = {
    "run": "a run was committed",
    "commit": "a table got a version",
    "gate": "a night was judged",
    "release": "a person published a held night",
    "reject": "a person threw a held night away",
    "promotion": "a version of a model went into production",
    "description": "what people say of a version of a model was set",
    "relink": "originals were given out",
    "abandon": "an unfinished plan was given up",
    "vacuum": "files that nothing names were deleted",
}
