"""MEDS shards as they are."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pyarrow as pa
import pytest
from ehr.record_archive import counts, file, parquet, read, rows

from medray.ehr.meds.config import MedsConfig
from medray.ehr.meds.spec import SOURCE
from medray.errors import Unusable

CONFIG = MedsConfig(kind="meds")


def shard(**more: Any) -> pa.Table:
    return pa.table(
        {
            "subject_id": pa.array([7, 7, 12], pa.int64()),
            "time": pa.array([None, datetime(2101, 1, 2, 3), datetime(2101, 1, 2)], pa.timestamp("us")),
            "code": ["GENDER//F", "LAB//1", "DISCHARGE"],
            "numeric_value": pa.array([None, 1.5, None], pa.float32()),
            **more,
        }
    )


def test_every_event_is_a_record() -> None:
    expected = [
        {"row": 0, "subject": "7", "code": "GENDER//F"},
        {"row": 1, "subject": "7", "code": "LAB//1", "time": datetime(2101, 1, 2, 3), "numeric_value": 1.5},
        {"row": 2, "subject": "12", "code": "DISCHARGE", "time": datetime(2101, 1, 2)},
    ]
    for rows_per_group in (1, 3):
        assert rows(parquet("data/train/0.parquet", shard(), rows_per_group), CONFIG, SOURCE) == expected
    more = shard(text_value=[None, "high", None], unit=[None, "mg", None], anything=[1, 2, 3])
    expected[1] |= {"text_value": "high", "unit": "mg"}
    assert rows(parquet("data/0.parquet", more), CONFIG, SOURCE) == expected
    assert counts(read(parquet("data/0.parquet", more), CONFIG, SOURCE)) == (3, 3, 0)


def test_shards_lie_below_data() -> None:
    names = {
        "data/0.parquet": "data", "data/train/0.parquet": "data", "meds/data/a/b.parquet": "data",
        "metadata/codes.parquet": None, "data/dataset.json": None, "data.parquet": None,
    }  # fmt: skip
    assert {name: SOURCE.table_of(name, CONFIG) for name in names} == names
    assert SOURCE.subjects([], CONFIG) is None


def test_no_shard() -> None:
    with pytest.raises(Unusable, match="no_columns"):
        rows(parquet("data/0.parquet", shard().drop_columns("time")), CONFIG, SOURCE)
    with pytest.raises(Unusable, match="malformed"):
        rows(file("data/0.parquet", b"PAR1PAR1"), CONFIG, SOURCE)
