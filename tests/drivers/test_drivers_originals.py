"""Rows with their originals: what is missing is counted."""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa

from medray.drivers.operate.originals import pseudonyms_in, with_originals
from medray.schema.predictions import PREDICTIONS

_NAMES = ("subject_id", "prediction_time", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "input_version")
ROWS = pa.Table.from_pylist(
    [
        dict(zip(_NAMES, (1, datetime(2020, 1, 1), None, None, None, 1), strict=True)),  # of records
        dict(zip(_NAMES, (2, None, "st", "se", "so", 2), strict=True)),
        dict(zip(_NAMES, (3, datetime(2020, 3, 1), "st", "se", "so", 1), strict=True)),
    ],
    schema=pa.schema([PREDICTIONS.schema.field(name).with_nullable(True) for name in _NAMES]),
)


def test_each_row_gets_the_originals_that_there_are() -> None:
    links = {
        ("subject", "1"): "DOE", ("subject", "2"): "ROE", ("study", "st"): "1.2", ("series", "se"): "1.3",
        ("instance", "so"): "1.4", ("source", "key2"): "/a/b",
    }  # fmt: skip
    found = with_originals(ROWS, links, {("so", 2): "key2"}, lambda subject: subject)
    assert found.rows["original_subject"].to_pylist() == ["DOE", "ROE", None]
    assert found.rows["original_object"].to_pylist() == [None, "/a/b", None]
    times = found.rows["original_prediction_time"].to_pylist()
    assert times == [datetime(2020, 1, 2), None, datetime(2020, 3, 4)]  # back by as many days as the subject's number
    assert found.without == 1  # the third; the first could have no more than its subject
    assert pseudonyms_in(ROWS) == {"1", "2", "3", "st", "se", "so"}
