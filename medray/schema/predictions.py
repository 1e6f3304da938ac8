"""`predictions`: one answer of one model for one input and label (long form, MEDS value columns).

Every column but `scored_at` is the same when a run is repeated.
"""

from __future__ import annotations

import pyarrow as pa

from medray.schema.contract import TableContract

PREDICTIONS = TableContract(
    name="predictions",
    version=1,
    schema=pa.schema(
        [
            pa.field("subject_id", pa.int64(), nullable=False),
            pa.field("prediction_time", pa.timestamp("us")),
            pa.field("StudyInstanceUID", pa.string()),
            pa.field("SeriesInstanceUID", pa.string()),
            pa.field("SOPInstanceUID", pa.string()),
            pa.field("frame_index", pa.int32()),
            pa.field("input_version", pa.int32(), nullable=False),
            pa.field("task", pa.string(), nullable=False),
            pa.field("label", pa.string(), nullable=False),
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
            pa.field("input_sha256", pa.string(), nullable=False),
            pa.field("model_name", pa.string(), nullable=False),
            pa.field("model_version", pa.int32(), nullable=False),
            pa.field("model_sha256", pa.string(), nullable=False),
            pa.field("code_version", pa.string(), nullable=False),
            pa.field("recipe_sha256", pa.string(), nullable=False),
            pa.field("run_id", pa.string(), nullable=False),
            pa.field("run_date", pa.date32(), nullable=False),
            pa.field("scored_at", pa.timestamp("us"), nullable=False),
        ]
    ),
    key=("subject_id", "prediction_time", "SOPInstanceUID", "frame_index", "input_version", "model_sha256", "label"),
    statistics=("subject_id", "SOPInstanceUID", "run_date", "prediction_time"),
)
