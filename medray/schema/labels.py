"""`labels`: one answer known for one source object, instance, study, subject, or subject and time.

Exactly one of the four input keys is set; `prediction_time` stands beside `subject_id` where the
answer is about one time. Values use the MEDS label columns. For one input and label the row with
the highest `labelled_at` is the truth; ties go to the later run.

A row with an `input_version` is an input of a prediction problem, without a value: the label is
the problem's name, and the version rises when events come late into what was known at that time.

Where the newest row is `withdrawn`, the input is no longer asked, or the question no longer
answered: the records that made it so were corrected or taken back. It has no value.
"""

from __future__ import annotations

import pyarrow as pa

from medray.schema.contract import TableContract

INPUT_KEYS = ("source_key", "SOPInstanceUID", "StudyInstanceUID", "subject_id")  # most specific first
VALUES = ("boolean_value", "integer_value", "float_value", "categorical_value")

LABELS = TableContract(
    name="labels",
    version=3,
    schema=pa.schema(
        [
            pa.field("source_key", pa.string()),
            pa.field("SOPInstanceUID", pa.string()),
            pa.field("StudyInstanceUID", pa.string()),
            pa.field("subject_id", pa.int64()),
            pa.field("prediction_time", pa.timestamp("us")),
            pa.field("label", pa.string(), nullable=False),
            pa.field("boolean_value", pa.bool_()),
            pa.field("integer_value", pa.int64()),
            pa.field("float_value", pa.float64()),
            pa.field("categorical_value", pa.string()),
            # inputs of a prediction problem only
            pa.field("input_version", pa.int32()),
            pa.field("observed", pa.int32()),  # events in the observation window
            # inputs and answers of a prediction problem only; null: it stands
            pa.field("withdrawn", pa.bool_()),
            pa.field("labelled_at", pa.timestamp("us"), nullable=False),
            pa.field("run_id", pa.string(), nullable=False),
        ]
    ),
    key=(*INPUT_KEYS, "prediction_time", "label"),
    statistics=("subject_id", "labelled_at"),
)
