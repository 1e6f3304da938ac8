"""`attributions`: what one feature, or the places of one image, add to one answer of one model.

An explanation is one answer by one method (and one reference). Of places it is one row with a `map`; of
features a row for each of the largest, by `rank` from 1, and one, without rank, for all others together
(`feature` = "(rest)"), so that they still sum up. An input outside the model's range has one row that is
`abstained`. So each explanation has exactly one row without rank.
"""

from __future__ import annotations

import pyarrow as pa

from medray.schema.answer_fields import ASKED, MADE_BY
from medray.schema.contract import TableContract

REST = "(rest)"
MAP_DTYPE = "<f4"

ATTRIBUTIONS = TableContract(
    name="attributions",
    version=1,
    schema=pa.schema(
        [
            *ASKED,
            pa.field("method", pa.string(), nullable=False),
            pa.field("reference", pa.string()),  # what stands for nothing; null where the method has none
            pa.field("status", pa.string(), nullable=False),  # explained, abstained
            pa.field("reason", pa.string()),  # set when abstained
            pa.field("feature", pa.string()),  # a column or a code; null of maps
            pa.field("rank", pa.int32()),  # by size of the attribution
            pa.field("feature_value", pa.float64()),  # of a code the last one; null where it has no number
            pa.field("attribution", pa.float64()),  # in units of `output`; of a map its sum
            pa.field("standard_error", pa.float64()),  # of an attribution that is estimated by chance
            pa.field("map", pa.binary()),  # MAP_DTYPE, row by row from the top left
            pa.field("map_rows", pa.int32()),
            pa.field("map_columns", pa.int32()),
            pa.field("predicted_boolean_probability", pa.float64()),  # calibrated, as in `predictions`
            pa.field("output", pa.float64()),  # the task's margin: log-odds, or a standardised number
            pa.field("base_value", pa.float64()),  # the margin of the reference
            pa.field("completeness_error", pa.float64()),  # null where nothing makes attributions sum up
            pa.field("fit", pa.float64()),  # of a surrogate: share of variance explained
            pa.field("evaluations", pa.int32()),  # answers of the network that were looked at
            *MADE_BY,
            pa.field("explained_at", pa.timestamp("us"), nullable=False),
        ]
    ),
    key=(
        "subject_id", "prediction_time", "SOPInstanceUID", "frame_index", "input_version", "model_sha256", "label",
        "method", "reference", "feature",
    ),
    statistics=("subject_id", "SOPInstanceUID", "run_date", "prediction_time"),
)  # fmt: skip
