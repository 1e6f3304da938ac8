"""From an archive of records to events, by what a user sees in the tables."""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from hospital import LABS, TABLES, VITALS, Hospital, archive
from scene import KEY, Scene

from medray import config
from medray.drivers.job import Result
from medray.drivers.records.ingest_plan import frozen_standing
from medray.errors import KeyMismatchError, RecipeError, StorageError
from medray.privacy.pseudonyms import Pseudonyms
from medray.schema.events import EVENTS
from medray.schema.images import IMAGES
from medray.schema.labels import LABELS
from medray.schema.quarantine import QUARANTINE
from medray.schema.record_files import COUNTS, RECORD_FILES
from medray.storage.linkage import originals
from medray.storage.plans import planned_runs, read_plan
from medray.storage.snapshot import snapshot
from medray.storage.store import LAKE

pytestmark = pytest.mark.ray


@pytest.fixture
def hospital(tmp_path: Path, ray_session: object) -> Hospital:
    return archive(tmp_path / "hospital")


def parts(result: Result, number: int = -1) -> dict[str, int]:
    return {name: count for name, count in result.sums[number].parts.items() if count}


def test_every_candidate_ends_in_one_place(hospital: Hospital) -> None:
    hospital.put("notes.txt", "nothing reads this")
    result = hospital.ingest()
    assert [str(one) for one in result.sums] == [
        "listed 3 = known 0 + ingested 2 + quarantined 1",
        "candidates 9 = ingested 4 + known 0 + empty 1 + duplicate 0 + quarantined 4",
    ]
    assert hospital.reasons() == {
        "not_mapped": 1, "orphan_encounter": 1, "missing_subject": 1, "unreadable_time": 1, "not_numeric": 1,
    }  # fmt: skip
    assert result.facts["reasons"] == hospital.reasons()
    assert hospital.values() == [("ADMISSION", None), ("ADMISSION", None), ("LAB//K", 4.5), ("LAB//NA", 140.0)]
    rows = hospital.state.table(RECORD_FILES).sort_by("table").to_pylist()
    assert [(row["table"], row["source_rows"], *(row[name] for name in COUNTS)) for row in rows] == [
        ("admissions", 2, 2, 0, 0, 0, 0),
        ("labs", 7, 2, 0, 1, 0, 4),
    ]
    bad = hospital.state.table(
        QUARANTINE,
        ("row_index", "reason"),
    ).to_pylist()
    assert {row["reason"]: row["row_index"] for row in bad} == {
        "not_mapped": None, "orphan_encounter": 1, "missing_subject": 3, "unreadable_time": 4, "not_numeric": 6,
    }  # fmt: skip


def test_the_next_night_knows_and_nothing_is_left_behind(hospital: Hospital) -> None:
    hospital.put("notes.txt", "nothing reads this")
    hospital.ingest()
    again = hospital.ingest()
    assert again.status == "nothing"
    assert parts(again) == {"known": 3}
    assert list((Path(hospital.lake) / "staging").iterdir()) == []


def test_nothing_identifying_is_in_the_lake(hospital: Hospital) -> None:
    hospital.ingest()
    for path in Path(hospital.lake).rglob("*"):
        assert "admissions.csv" not in path.name
        if path.is_file() and "plans" not in path.parts:
            assert b"admissions.csv" not in path.read_bytes()
    mine = Pseudonyms(KEY.encode())
    assert {row["subject_id"] for row in hospital.current("subject_id")} == {
        mine.subject_id("H", "p1"),
        mine.subject_id("H", "p2"),
    }


def test_a_night_appends_and_corrects(hospital: Hospital) -> None:
    hospital.ingest()
    late = LABS.splitlines()[0] + "\n8,p1,a1,2020-01-03,NA,139,mmol/L\n3,p2,a2,2020-02-02 00:00:00,K,4.6,mmol/L\n"
    hospital.put("labs-late.csv", late + "9,p3,a3,2020-01-03,NA,139,mmol/L\n")
    night = hospital.ingest()
    assert parts(night) == {"ingested": 2, "quarantined": 1}
    assert night.facts["superseded"] == 1
    labs = [one for one in hospital.values() if one[0] != "ADMISSION"]
    assert labs == [("LAB//K", pytest.approx(4.6)), ("LAB//NA", 139.0), ("LAB//NA", 140.0)]
    versions = hospital.state.table(EVENTS, ("input_version",))
    assert sorted(versions["input_version"].to_pylist()) == [1, 1, 1, 1, 1, 2]


def test_the_recipe_may_refuse_corrections(hospital: Hospital) -> None:
    hospital.ingest()
    hospital.put("labs-late.csv", LABS.splitlines()[0] + "\n3,p2,a2,2020-02-02 00:00:00,K,4.6,mmol/L\n")
    assert parts(hospital.ingest(on_change="conflict")) == {"quarantined": 1}
    assert ("LAB//K", 4.5) in hospital.values()
    assert hospital.reasons()["conflict"] == 1


def test_a_full_export_under_other_names_is_known(hospital: Hospital) -> None:
    hospital.put("vitals.csv", VITALS)
    first = hospital.ingest(encounters="any")
    for path in list(hospital.archive.iterdir()):
        shutil.copy(path, path.with_name(f"{path.stem}-again.csv"))
    again = hospital.ingest(encounters="any")
    counted, told = parts(first), parts(again)
    assert told["known"] == counted["ingested"] + counted["duplicate"]
    assert "ingested" not in told
    assert "duplicate" not in told
    assert len(hospital.values()) == counted["ingested"]


def test_any_cut_gives_the_same_rows(hospital: Hospital) -> None:
    hospital.put("vitals.csv", VITALS)
    for number in range(5):
        hospital.put(f"vitals-{number}.csv", VITALS.replace("HR", f"HR{number % 3}"))
    table = pacsv.read_csv(hospital.archive / "vitals.csv")
    pq.write_table(
        table.set_column(2, "itemid", pa.array(["BP"] * 40)), hospital.archive / "vitals-p.parquet", row_group_size=7
    )
    found = []
    for name, chunks in (("one", {}), ("many", {"objects": 1, "megabytes": 0.003})):
        lake = str(hospital.folder / name)
        result = hospital.ingest(lake=lake, chunks=chunks)
        state = snapshot(LAKE, lake)
        bad = state.table(QUARANTINE).drop_columns(["run_id"])
        by_row = [("source_key", "ascending"), ("row_index", "ascending"), ("reason", "ascending")]
        found.append((state.table(EVENTS), bad.sort_by(by_row), result.sums, len(state.files(EVENTS))))
    assert found[0][0].num_rows > 20
    assert found[0][:3] == found[1][:3]
    assert found[0][3] < found[1][3]


def test_a_file_that_cannot_be_trusted_gives_nothing(hospital: Hospital) -> None:
    """A truncated gzip, and a table whose third row group is damaged: parts of it are read in other
    chunks before that is seen."""
    whole = gzip.compress((LABS + "".join(f"{i},p1,a1,2020-01-02,X,{i},u\n" for i in range(100, 3000))).encode())
    (hospital.archive / "labs-cut.csv.gz").write_bytes(whole[: len(whole) // 2])
    rows = pa.table(
        {
            "subject_id": ["p1"] * 99,
            "charttime": ["2020-01-01"] * 98 + ["xx"],
            "itemid": ["HR"] * 99,
            "value": [1.0 * i for i in range(99)],
        }
    )
    path = hospital.archive / "vitals.parquet"
    pq.write_table(rows, path, row_group_size=33, use_dictionary=False, compression="gzip")
    place = pq.read_metadata(path).row_group(2).column(3)
    data = bytearray(path.read_bytes())
    start = place.data_page_offset + 40
    data[start : start + 40] = bytes(40)
    path.write_bytes(data)
    result = hospital.ingest(chunks={"objects": 1})
    assert dict(result.sums[0].parts) == {"known": 0, "ingested": 2, "quarantined": 2}
    assert hospital.values() == [("ADMISSION", None), ("ADMISSION", None), ("LAB//K", 4.5), ("LAB//NA", 140.0)]
    assert sum(hospital.reasons().values()) == 4 + 2
    assert hospital.ingest().status == "nothing"


def test_a_file_that_a_new_mapping_reads_is_new(hospital: Hospital) -> None:
    hospital.put("vitals.csv", VITALS)
    few = {"kind": "tables", "uri": str(hospital.archive), "tables": TABLES[:2]}
    assert parts(hospital.ingest(source=few), 0) == {"ingested": 2, "quarantined": 1}
    assert hospital.ingest(source=few).status == "nothing"
    assert parts(hospital.ingest(), 0) == {"known": 2, "ingested": 1}
    assert hospital.ingest().status == "nothing"


def test_later_records_wait_outside(hospital: Hospital) -> None:
    result = hospital.ingest(as_of="2020-01-31T00:00:00")
    assert hospital.values() == [("ADMISSION", None), ("LAB//NA", 140.0)]
    assert result.facts["reasons"]["after_as_of"] == 2


def test_images_and_records_of_a_patient_meet(hospital: Hospital, new_scene: Callable[..., Scene]) -> None:
    """The study time of an image, written as a record of the same patient, is the same moment."""
    import pydicom

    scene = new_scene(3)
    header = pydicom.dcmread(next(scene.archive.rglob("*.dcm")), stop_before_pixels=True)
    issuer, day, clock = getattr(header, "IssuerOfPatientID", ""), header.StudyDate, header.StudyTime
    when = f"{day[:4]}-{day[4:6]}-{day[6:]} {clock[:2]}:{clock[2:4]}:{clock[4:6]}"
    hospital.put("vitals.csv", f"subject_id,charttime,itemid,value\nr1,{when},HR,60\nr2,{when},HR,61\n")
    (hospital.folder / "crosswalk.csv").write_text(f"from,to\nr1,{header.PatientID}\n")
    crosswalk = str(hospital.folder / "crosswalk.csv")
    linkage = {"uri": str(hospital.folder / "linkage")}
    source = {"kind": "tables", "uri": str(hospital.archive), "tables": TABLES[2:]}
    scene.run("ingest_dicom", lake=hospital.lake, labels=None)
    result = hospital.ingest(crosswalk=crosswalk, issuer=issuer, source=source, linkage=linkage)
    assert result.facts["reasons"] == {"not_mapped": 2, "missing_subject": 1}
    (event,) = hospital.current("subject_id", "time")
    images = hospital.state.table(IMAGES, ("subject_id", "study_time")).to_pylist()
    mine = [row["study_time"] for row in images if row["subject_id"] == event["subject_id"]]
    assert event["time"] in [time.replace(microsecond=0) for time in mine]
    original = f"{header.PatientID}^^^{issuer}" if issuer else str(header.PatientID)
    assert originals(linkage["uri"], str(event["subject_id"])) == [("subject", original)]


def test_labels_of_patients_find_their_records(hospital: Hospital) -> None:
    (hospital.folder / "labels.csv").write_text("patient,died\np1,1\np2,0\n")
    labels = {
        "uri": str(hospital.folder / "labels.csv"), "key": "PatientID", "key_column": "patient", "issuer": "H",
        "columns": {"died": "boolean"},
    }  # fmt: skip
    result = hospital.ingest(labels=labels)
    assert dict(result.sums[-1].parts) == {"known": 0, "added": 2, "missing": 0}
    known = {row["subject_id"] for row in hospital.current("subject_id")}
    assert set(hospital.state.table(LABELS, ("subject_id",))["subject_id"].to_pylist()) == known


def test_an_identified_lake_keeps_the_times(hospital: Hospital) -> None:
    hospital.ingest(deidentify={"profile": "none", "key": f"file:{hospital.folder / 'key'}", "reason": "test"})
    times = [row["time"] for row in hospital.current("time")]
    assert sorted(str(time) for time in times) == [
        "2020-01-01 08:00:00", "2020-01-02 00:00:00", "2020-02-01 08:00:00", "2020-02-02 00:00:00"
    ]  # fmt: skip


def test_intervals_of_a_patient_stay(hospital: Hospital) -> None:
    hospital.ingest()
    first, second = hospital.current("subject_id", "time")[:2]
    assert second["time"] - first["time"] in (timedelta(hours=16),)


def test_an_attempt_compares_with_what_the_first_one_saw(hospital: Hospital) -> None:
    hospital.ingest()
    (run_id,) = planned_runs(LAKE, hospital.lake, "ingest_ehr")
    plan = read_plan(LAKE, hospital.lake, "ingest_ehr", run_id)
    assert frozen_standing(LAKE, hospital.lake, plan, hospital.state) == ()
    assert len(hospital.state.files(EVENTS)) == 1


def test_refusals_come_before_anything_is_written(hospital: Hospital) -> None:
    (hospital.folder / "wrong.csv").write_text("from,two\n1,2\n")
    with pytest.raises(RecipeError, match="without `from` and `to`"):
        hospital.ingest(crosswalk=str(hospital.folder / "wrong.csv"))
    (hospital.folder / "wrong.csv").write_text("from,to\n1,2\n1,3\n")
    with pytest.raises(RecipeError, match="lead to two others"):
        hospital.ingest(crosswalk=str(hospital.folder / "wrong.csv"))
    with pytest.raises(StorageError, match="nothing there"):
        hospital.ingest(crosswalk=str(hospital.folder / "none.csv"))
    assert not Path(hospital.lake).exists()
    with pytest.raises(StorageError, match="nothing there"):
        hospital.ingest(source={"kind": "tables", "uri": str(hospital.folder / "gone"), "tables": TABLES})


def test_another_key_is_refused(hospital: Hospital) -> None:
    hospital.ingest()
    (hospital.folder / "key").write_text("j" * 64)
    with pytest.raises(KeyMismatchError):
        hospital.ingest()


def test_every_mistake_of_a_recipe_is_told(hospital: Hospital) -> None:
    document = hospital.recipe(on_change="keep", as_of="yesterday", chunk=1)
    del document["encounters"], document["issuer"]
    with pytest.raises(RecipeError, match="5 mistakes") as raised:
        config.parse(document, "test")
    for place in ("encounters", "issuer", "on_change", "as_of", "chunk"):
        assert f"\n  {place}: " in str(raised.value)
