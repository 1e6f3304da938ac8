"""What the tables of a model's answers share: which input and question, and what has made the row."""

from __future__ import annotations

import pyarrow as pa

ASKED = (
    pa.field("subject_id", pa.int64(), nullable=False),
    pa.field("prediction_time", pa.timestamp("us")),
    pa.field("StudyInstanceUID", pa.string()),
    pa.field("SeriesInstanceUID", pa.string()),
    pa.field("SOPInstanceUID", pa.string()),
    pa.field("frame_index", pa.int32()),
    pa.field("input_version", pa.int32(), nullable=False),
    pa.field("task", pa.string(), nullable=False),
    pa.field("label", pa.string(), nullable=False),
)
MADE_BY = (
    pa.field("input_sha256", pa.string(), nullable=False),
    pa.field("model_name", pa.string(), nullable=False),
    pa.field("model_version", pa.int32(), nullable=False),
    pa.field("model_sha256", pa.string(), nullable=False),
    pa.field("code_version", pa.string(), nullable=False),
    pa.field("recipe_sha256", pa.string(), nullable=False),
    pa.field("run_id", pa.string(), nullable=False),
    pa.field("run_date", pa.date32(), nullable=False),
)
