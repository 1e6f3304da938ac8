"""A snapshot of `events` as a MEDS dataset, by the schemas of the `meds` package."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from io import StringIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from meds import schema
from record_scene import RecordScene
from rich.console import Console
from typer.testing import CliRunner

from medray import cli
from medray.drivers.export import meds as driver
from medray.drivers.export import meds_chunk
from medray.drivers.export.meds import export_meds
from medray.drivers.export.meds_chunk import ExportChunk, ExportWork
from medray.drivers.export.meds_metadata import DATASET
from medray.drivers.export.meds_plan import PLAN, Asked
from medray.drivers.job import Job, Result
from medray.errors import AccountingError, MedrayError, PlanError, RecipeError, StorageError
from medray.narration import Narrator, silent
from medray.planning.buckets import buckets
from medray.planning.splits import SPLITS, hashed_split
from medray.schema.events import EVENTS
from medray.storage.chunk_file import write_table
from medray.storage.commit import Outcome, commit_run, data_path, new_file
from medray.storage.delta import table_uri
from medray.storage.event_file import write_events
from medray.storage.lake import Identity, claim
from medray.storage.plans import Plan, write_plan
from medray.storage.snapshot import snapshot
from medray.storage.store import LAKE, TEMPORARY, Store
from medray.storage.uri import join

ASKED = Asked("ward", "pepper", 0.25, 0.5)
SUBJECTS = [k * 2**60 + 17 * k for k in range(8)]  # two in each of four buckets
NOON, LATER = datetime(2023, 5, 1, 12), datetime(2023, 5, 2, 8, 30, 0, 250)


def event(subject: int, time: datetime | None, code: str, number: float | None = None, **more: Any) -> dict[str, Any]:
    """A row of `events`."""
    plain = {
        "text_value": None, "unit": None, "encounter_key": None, "defines_encounter": False, "record_key": None,
        "input_version": 1, "withdrawn": False, "source_key": "s",
    }  # fmt: skip
    return {"subject_id": subject, "time": time, "code": code, "numeric_value": number, **plain, **more}


def ingested(lake: str, name: str, rows: Sequence[dict[str, Any]], n: int) -> str:
    """Commit a run with those events in n buckets. Returns its id."""
    claim(LAKE, lake, Identity("f", identified=False))
    plan = write_plan(
        LAKE, lake,
        Plan("ingest_ehr", name, name, "2026-01-01", "0+0", {}, snapshot(LAKE, lake).versions, {},
             pa.table({"chunk": pa.array([], pa.int32())}), datetime(2026, 1, 1)),
    )  # fmt: skip
    files = []
    for bucket in buckets(n):
        own = [row for row in rows if bucket.lo <= row["subject_id"] <= bucket.hi]
        own.sort(key=lambda row: (row["subject_id"], row["time"] or datetime.min, row["code"]))
        if own:
            path = data_path(plan.run_id, bucket.name)
            table = pa.Table.from_pylist(own, schema=EVENTS.schema)
            files.append(new_file(plan, path, write_events(LAKE, join(table_uri(lake, "events"), path), [table])))
    commit_run(LAKE, lake, plan, Outcome({}, {"events": files}))
    return plan.run_id


def first_night(lake: str) -> str:
    """Of each subject: admission at noon, a heart rate later, the sex without a time."""
    rows: list[dict[str, Any]] = []
    for number, subject in enumerate(SUBJECTS):
        rows.append(event(subject, NOON, "ADMISSION", encounter_key=number))
        rows.append(event(subject, LATER, "HR", 60 + number, unit="bpm", record_key=number, encounter_key=number))
        rows.append(event(subject, None, "SEX", text_value="FM"[number % 2]))
    rows.append(event(SUBJECTS[3] + 1, NOON, "MISTAKE", record_key=99))
    return ingested(lake, "first", rows, 1)


def second_night(lake: str) -> str:
    """The heart rate of subject 2 becomes 90, that of subject 5 is taken back, so is all that the
    lake knew of another subject; subject 6 has a weight more."""
    rows = [
        event(SUBJECTS[2], LATER, "HR", 90, unit="bpm", record_key=2, input_version=2, encounter_key=2),
        event(SUBJECTS[5], LATER, "HR", None, record_key=5, input_version=2, withdrawn=True),
        event(SUBJECTS[3] + 1, NOON, "MISTAKE", record_key=99, input_version=2, withdrawn=True),
        event(SUBJECTS[6], LATER, "WEIGHT", 70.5, unit="kg"),
    ]
    return ingested(lake, "second", rows, 4)


Row = tuple[Any, ...]


def expected_rows() -> set[Row]:
    """What holds after both nights, by hand; with the split."""
    rows: set[Row] = set()
    for number, subject in enumerate(SUBJECTS):
        split = hashed_split(subject, "pepper", 0.25, 0.5)
        rate = 90.0 if number == 2 else 60.0 + number
        rows.add((split, subject, None, "SEX", None, "FM"[number % 2], None, None))
        rows.add((split, subject, NOON, "ADMISSION", None, None, None, number))
        if number != 5:
            rows.add((split, subject, LATER, "HR", rate, None, "bpm", number))
        if number == 6:
            rows.add((split, subject, LATER, "WEIGHT", 70.5, None, "kg", None))
    return rows


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks run in this process, last first; their facts travel as JSON."""

    def run(work: Callable[[Any], Any], chunks: Sequence[Any]) -> Iterator[Any]:
        for chunk in reversed(chunks):
            yield json.loads(json.dumps(work(chunk)))

    monkeypatch.setattr(driver, "run_chunks", run)


@pytest.fixture
def ward(lake: str, here: None) -> str:
    """A lake after both nights."""
    first_night(lake)
    second_night(lake)
    return lake


def exported(lake: str, target: Path | str, asked: Asked = ASKED, tell: Narrator | None = None) -> Result:
    return export_meds(lake, str(target), asked, Job("2026-01-01", tell or silent()))


def shards(target: Path) -> list[Path]:
    return sorted((target / schema.data_subdirectory).rglob("*"), key=lambda path: path.as_posix())


def tables(target: Path) -> dict[str, pa.Table]:
    """Path below data -> rows."""
    files = (path for path in shards(target) if path.is_file())
    return {path.relative_to(target / "data").as_posix(): pq.read_table(path, partitioning=None) for path in files}


def contents(target: Path) -> dict[str, bytes]:
    return {str(path.relative_to(target)): path.read_bytes() for path in target.rglob("*") if path.is_file()}


def rows_of(target: Path) -> list[Row]:
    return [(name.split("/")[0], *row.values()) for name, table in tables(target).items() for row in table.to_pylist()]


def refused(kind: type[MedrayError], found: str, act: Callable[[], object], target: Path) -> None:
    """The act is refused, and the target stays as it was."""
    before = contents(target)
    with pytest.raises(kind) as told:
        act()
    assert found in told.value.found
    assert told.value.do
    assert contents(target) == before


def test_the_schemas_of_meds_accept_every_file(ward: str, tmp_path: Path) -> None:
    exported(ward, tmp_path / "out")
    found = tables(tmp_path / "out")
    assert found
    for table in found.values():
        schema.DataSchema.validate(table)
        assert schema.DataSchema.align(table).schema == table.schema.remove_metadata()
    codes = pq.read_table(tmp_path / "out" / schema.code_metadata_filepath)
    schema.CodeMetadataSchema.validate(codes)
    schema.SubjectSplitSchema.validate(pq.read_table(tmp_path / "out" / schema.subject_splits_filepath))
    dataset = json.loads((tmp_path / "out" / schema.dataset_metadata_filepath).read_text())
    schema.DatasetMetadataSchema.validate(dataset)
    named = {*dataset["code_modifier_columns"], *dataset["other_extension_columns"]}
    extra = set(meds_chunk.SHARD.schema.names) - set(schema.DataSchema.schema().names)
    assert named == extra
    assert dataset["meds_version"] == version("meds")
    assert {schema.train_split, schema.tuning_split, schema.held_out_split} == set(SPLITS)


def test_what_holds_now_is_exported_once(ward: str, tmp_path: Path) -> None:
    result = exported(ward, tmp_path / "out")
    rows = rows_of(tmp_path / "out")
    assert set(rows) == expected_rows()
    assert len(rows) == 24  # 8 x 3, one taken back, one added
    parts = {split: sum(row[0] == split for row in rows) for split in SPLITS}
    assert (result.status, result.sums[0].counts()) == ("done", {"events": 24, **parts})
    assert min(parts.values()) > 0


def test_each_subject_is_in_one_shard_by_time_with_static_facts_first(ward: str, tmp_path: Path) -> None:
    exported(ward, tmp_path / "out")
    found = tables(tmp_path / "out")
    splits = {subject: hashed_split(subject, "pepper", 0.25, 0.5) for subject in SUBJECTS}
    # two subjects a quarter of the ids: bucket k holds subjects 2k and 2k + 1
    places = {
        subject: f"{splits[subject]}/{number // 2:05d}-of-00004.parquet" for number, subject in enumerate(SUBJECTS)
    }
    assert {(subject, name) for name, table in found.items() for subject in table["subject_id"].to_pylist()} == set(
        places.items()
    )
    for table in found.values():
        keys = [
            (row["subject_id"], row["time"] is not None, row["time"] or NOON, row["code"]) for row in table.to_pylist()
        ]
        assert keys == sorted(keys)


def test_metadata_lists_codes_and_subjects_that_occur(ward: str, tmp_path: Path) -> None:
    exported(ward, tmp_path / "out")
    codes = pq.read_table(tmp_path / "out" / schema.code_metadata_filepath)
    assert codes["code"].to_pylist() == ["ADMISSION", "HR", "SEX", "WEIGHT"]  # MISTAKE was taken back
    assert codes["description"].null_count == codes["parent_codes"].null_count == 4
    splits = pq.read_table(tmp_path / "out" / schema.subject_splits_filepath).to_pylist()
    assert splits == [{"subject_id": one, "split": hashed_split(one, "pepper", 0.25, 0.5)} for one in SUBJECTS]


def test_the_dataset_names_the_newest_run_of_events(ward: str, tmp_path: Path) -> None:
    runs = {row["name"]: row for row in snapshot(LAKE, ward).runs.to_pylist()}
    exported(ward, tmp_path / "out")
    dataset = json.loads((tmp_path / "out" / DATASET).read_text())
    assert dataset["dataset_name"] == "ward"
    assert dataset["dataset_version"] == runs["second"]["run_id"]
    created = datetime.fromisoformat(dataset["created_at"])
    assert created == runs["second"]["committed_at"].replace(tzinfo=UTC)
    plan = Plan("train", "later", "t", "2026-01-01", "0+0", {}, snapshot(LAKE, ward).versions, {},
                pa.table({"chunk": pa.array([], pa.int32())}), datetime(2026, 1, 1))  # fmt: skip
    commit_run(LAKE, ward, write_plan(LAKE, ward, plan), Outcome({}))
    assert exported(ward, tmp_path / "out").status == "already"  # a model changes no events
    exported(ward, tmp_path / "again")
    assert contents(tmp_path / "again") == contents(tmp_path / "out")


def test_large_shards_have_several_row_groups(ward: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(meds_chunk, "_ROW_GROUP", 2)
    exported(ward, tmp_path / "out")
    files = [path for path in shards(tmp_path / "out") if path.is_file()]
    assert max(pq.ParquetFile(path).num_row_groups for path in files) == 3  # two subjects, 3 or 4 events each
    assert sorted(rows_of(tmp_path / "out"), key=str) == sorted(expected_rows(), key=str)


def test_a_second_time_finds_everything_done(ward: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exported(ward, tmp_path / "out")
    before = contents(tmp_path / "out")
    monkeypatch.setattr(driver, "run_chunks", None)  # nothing may be run
    assert exported(ward, tmp_path / "out").status == "already"
    assert contents(tmp_path / "out") == before


@pytest.mark.parametrize("lost", ["shard", "metadata/codes.parquet", "metadata/subject_splits.parquet", DATASET])
def test_a_lost_file_comes_back(ward: str, tmp_path: Path, lost: str) -> None:
    exported(ward, tmp_path / "out")
    before = contents(tmp_path / "out")
    path = (
        next(path for path in shards(tmp_path / "out") if path.is_file())
        if lost == "shard"
        else tmp_path / "out" / lost
    )
    path.unlink()
    assert exported(ward, tmp_path / "out").status == "done"
    assert contents(tmp_path / "out") == before


def killed(lake: str, target: Path, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """An export that dies after some buckets and leaves a half-written file."""

    def run(work: Callable[[Any], Any], chunks: Sequence[Any]) -> Iterator[Any]:
        for chunk in chunks[:after]:
            yield json.loads(json.dumps(work(chunk)))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(driver, "run_chunks", run)
        with pytest.raises(KeyboardInterrupt):
            exported(lake, target)
    (target / "data" / "train").mkdir(parents=True, exist_ok=True)
    (target / "data" / "train" / f"{TEMPORARY}half").write_bytes(b"PAR1")


@pytest.mark.parametrize("after", [0, 1, 3, 4])
def test_a_killed_export_is_continued(ward: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    exported(ward, tmp_path / "whole")
    killed(ward, tmp_path / "out", monkeypatch, after)
    stood = [path for path in shards(tmp_path / "out") if path.suffix == ".parquet"]
    assert bool(stood) == bool(after)
    assert not (tmp_path / "out" / DATASET).exists()
    written: list[str] = []

    def write(store: Store, uri: str, *more: Any) -> Any:
        written.append(uri)
        return write_table(store, uri, *more)

    monkeypatch.setattr(meds_chunk, "write_table", write)
    assert exported(ward, tmp_path / "out").status == "done"
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")
    assert not set(map(str, stood)) & set(written)  # kept, not written again


def test_a_killed_export_is_finished_as_it_was_begun(
    lake: str, here: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = first_night(lake)
    exported(lake, tmp_path / "whole")
    killed(lake, tmp_path / "out", monkeypatch, 0)
    second_night(lake)
    told = StringIO()
    assert exported(lake, tmp_path / "out", tell=Narrator(Console(file=told, width=200))).run_ids == (first,)
    assert "newer events are left out" in told.getvalue()
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")
    refused(StorageError, "older snapshot", lambda: exported(lake, tmp_path / "out"), tmp_path / "out")


@pytest.mark.parametrize(
    "other", [Asked("ward", "salt", 0.25, 0.5), Asked("ward", "pepper", 0.25, 0.4), Asked("x", "pepper", 0.25, 0.5)]
)
def test_another_name_or_split_is_refused(ward: str, tmp_path: Path, other: Asked) -> None:
    exported(ward, tmp_path / "out")
    refused(StorageError, "another name or split", lambda: exported(ward, tmp_path / "out", other), tmp_path / "out")


def test_a_target_with_other_files_is_refused(ward: str, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "notes.txt").write_text("mine")
    refused(StorageError, "something else", lambda: exported(ward, tmp_path / "out"), tmp_path / "out")


def test_what_a_kill_before_the_plan_left_does_not_count(ward: str, tmp_path: Path) -> None:
    (tmp_path / "out" / "metadata").mkdir(parents=True)
    (tmp_path / "out" / "metadata" / f"{TEMPORARY}half").write_text("{")
    assert exported(ward, tmp_path / "out").status == "done"
    assert not list((tmp_path / "out").rglob(f"{TEMPORARY}*"))


def test_an_unreadable_plan_is_refused(ward: str, tmp_path: Path) -> None:
    (tmp_path / "out" / "metadata").mkdir(parents=True)
    (tmp_path / "out" / PLAN).write_text('{"asked": {}}')
    refused(StorageError, "cannot read", lambda: exported(ward, tmp_path / "out"), tmp_path / "out")


def test_another_lakes_export_is_refused(ward: str, tmp_path: Path) -> None:
    ingested(str(tmp_path / "other"), "other", [event(5, NOON, "A")], 1)
    exported(str(tmp_path / "other"), tmp_path / "out")
    refused(StorageError, "another lake", lambda: exported(ward, tmp_path / "out"), tmp_path / "out")


def test_a_foreign_shard_stops_the_export_before_it_is_whole(
    ward: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed(ward, tmp_path / "out", monkeypatch, 1)
    (tmp_path / "out" / "data" / "train" / "0.parquet").write_bytes(b"PAR1")
    with pytest.raises(StorageError, match="1 file"):
        exported(ward, tmp_path / "out")
    assert not (tmp_path / "out" / DATASET).exists()


def test_a_sum_that_does_not_add_up_stops_the_export(
    ward: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(work: ExportWork, chunks: Sequence[ExportChunk]) -> Iterator[Any]:
        for chunk in chunks:
            facts = work(chunk)
            yield {**facts, "events": facts["events"] + 1}

    monkeypatch.setattr(driver, "run_chunks", run)
    with pytest.raises(AccountingError):
        exported(ward, tmp_path / "out")
    assert not (tmp_path / "out" / DATASET).exists()


def test_a_lake_without_events_is_refused(lake: str, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    refused(PlanError, "no events", lambda: exported(lake, tmp_path / "out"), tmp_path / "out")


@pytest.mark.parametrize(("tuning", "held_out"), [(0.0, 0.2), (0.2, 0.0), (-0.1, 0.2), (0.5, 0.5)])
def test_shares_that_no_train_recipe_may_have_are_refused(tuning: float, held_out: float) -> None:
    with pytest.raises(RecipeError, match="as in a train recipe"):
        Asked("ward", "pepper", tuning, held_out)


@pytest.mark.parametrize("identified", [True, False])
def test_an_identified_lake_gets_a_warning(ward: str, tmp_path: Path, identified: bool) -> None:
    identity = Path(ward) / "lake.json"
    identity.write_text(json.dumps({**json.loads(identity.read_text()), "identified": identified}))
    told = StringIO()
    exported(ward, tmp_path / "out", tell=Narrator(Console(file=told, width=200)))
    assert ("this lake is identified" in told.getvalue()) == identified


def command(lake: str, target: str, *more: str) -> Any:
    split = ["--salt", "pepper", "--tuning", "0.25", "--held-out", "0.5"]
    return CliRunner().invoke(cli.app, ["export", "meds", lake, target, *split, *more])


@pytest.mark.ray
@pytest.mark.usefixtures("ray_session")
def test_the_export_comes_back_by_the_meds_source(new_records: Callable[..., RecordScene], tmp_path: Path) -> None:
    scene = new_records(8)
    scene.run("ingest_ehr")
    out = tmp_path / "out"
    told = command(scene.lake, str(out))
    assert told.exit_code == 0, told.output
    rows = rows_of(out)
    assert len(rows) == snapshot(LAKE, scene.lake).table(EVENTS).num_rows == 8 * 32  # sex and 31 events each
    assert json.loads((out / DATASET).read_text())["dataset_name"] == "lake"
    again = command(scene.lake, str(out))
    assert (again.exit_code, "already done" in again.output) == (0, True)

    back = str(tmp_path / "back")
    scene.run("ingest_ehr", lake=back, source={"kind": "meds", "uri": str(out)})
    returned = snapshot(LAKE, back).table(EVENTS)
    assert returned.num_rows == len(rows)
    assert sorted(returned["code"].to_pylist()) == sorted(row[3] for row in rows)


@pytest.mark.ray
@pytest.mark.s3
@pytest.mark.usefixtures("ray_session")
def test_a_dataset_on_s3_is_the_one_in_a_folder(lake: str, bucket: str, tmp_path: Path) -> None:
    first_night(lake)
    second_night(lake)
    exported(lake, tmp_path / "out")
    there = join(bucket, "out")
    assert exported(lake, there).status == "done"
    names = {item.uri.removeprefix(there + "/"): LAKE.read(item.uri) for item in LAKE.walk(there)}
    assert names == contents(tmp_path / "out")
    assert exported(lake, there).status == "already"
    with pytest.raises(StorageError, match="something else"):
        exported(lake, bucket)
