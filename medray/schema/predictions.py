"""`predictions`: one answer of one model for one input and label (long form, MEDS value columns).

Every column but `scored_at` is the same when a run is repeated.
"""

from __future__ import annotations

import pyarrow as pa

from medray.schema.answer_fields import ASKED, MADE_BY
from medray.schema.contract import TableContract

PREDICTIONS = TableContract(
    name="predictions",
    version=1,
    schema=pa.schema(
        [
            *ASKED,
            pa.field("status", pa.string(), nullable=False),  # scored, abstained
            pa.field("reason", pa.string()),  # set when abstained
            pa.field("predicted_boolean_value", pa.bool_()),
            pa.field("predicted_boolean_probability", pa.float64()),
            pa.field("predicted_integer_value", pa.int64()),
            pa.field("predicted_float_value", pa.float64()),
            pa.field("predicted_categorical_value", pa.string()),
            pa.field("prediction_lower", pa.float64()),
            pa.field("prediction_upper", pa.float64()),
            pa.field("raw_score", pa.float64()),
            pa.field("threshold", pa.float64()),
            *MADE_BY,
            pa.field("scored_at", pa.timestamp("us"), nullable=False),
        ]
    ),
    key=("subject_id", "prediction_time", "SOPInstanceUID", "frame_index", "input_version", "model_sha256", "label"),
    statistics=("subject_id", "SOPInstanceUID", "run_date", "prediction_time"),
)
