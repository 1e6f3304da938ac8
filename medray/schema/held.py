"""`held`: answers of nights that the gate did not let through, until a person decides."""

from __future__ import annotations

from medray.schema.contract import TableContract
from medray.schema.predictions import PREDICTIONS

HELD = TableContract(
    name="held",
    version=PREDICTIONS.version,
    schema=PREDICTIONS.schema,
    key=PREDICTIONS.key,
    statistics=PREDICTIONS.statistics,
)
