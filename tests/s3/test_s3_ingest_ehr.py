"""The same records in a folder and on S3: the same events."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest
from hospital import TABLES, VITALS, Hospital, archive

from medray.errors import StorageError
from medray.schema.events import EVENTS
from medray.storage.store import LAKE
from medray.storage.uri import join

pytestmark = [pytest.mark.ray, pytest.mark.s3]
CHUNKS = {"objects": 1, "megabytes": 0.003}


def upload(folder: Path, place: str) -> None:
    for item in LAKE.walk(str(folder)):
        LAKE.replace(place + item.uri.removeprefix(str(folder)), Path(item.uri).read_bytes())


def events(place: Hospital) -> pa.Table:
    """Without the key of the file, which follows from where it lies."""
    by = [(name, "ascending") for name in ("subject_id", "code", "numeric_value", "input_version")]
    return place.state.table(EVENTS).drop_columns(["source_key"]).sort_by(by)


def test_s3_and_folders_hold_the_same_events(ray_session: object, bucket: str, tmp_path: Path) -> None:
    here = archive(tmp_path / "hospital")
    here.put("vitals.csv", VITALS)
    there = Hospital(tmp_path / "hospital", bucket)
    source = {"kind": "tables", "uri": join(bucket, "archive"), "tables": TABLES}
    results = []
    for night in (1, 2):
        upload(here.archive, join(bucket, "archive"))
        results.append([here.ingest(chunks=CHUNKS), there.ingest(chunks=CHUNKS, source=source)])
        here.put(f"labs-{night}.csv", "id,subject_id,hadm_id,charttime,itemid,value,unit\n3,p2,a2,2020-02-02,K,4.6,u\n")
    for at_home, away in results:
        assert [one.counts() for one in away.sums] == [one.counts() for one in at_home.sums]
    assert events(there).equals(events(here))
    assert there.values() == here.values()
    assert [item for item in LAKE.walk(join(there.lake, "staging")) if item.size_bytes] == []


def test_a_missing_bucket_is_told(s3_server: int, ray_session: object, tmp_path: Path) -> None:
    source = {"kind": "tables", "uri": "s3://lake-missing/archive", "tables": TABLES}
    with pytest.raises(StorageError, match="nothing there"):
        archive(tmp_path / "hospital").ingest(source=source)
