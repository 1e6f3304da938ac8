"""`medray vacuum` on a lake with one of each kind of garbage and one of each kind of treasure."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from deltalake import DeltaTable
from scene import Scene
from story import job, plan
from typer.testing import CliRunner

from medray import cli
from medray.contracts import Layout
from medray.drivers.abandon import abandon
from medray.drivers.audit import verify
from medray.drivers.operate import vacuum as vacuuming
from medray.drivers.operate.status import status
from medray.drivers.operate.vacuum import find, vacuum
from medray.schema.audit import AUDIT
from medray.schema.held import HELD
from medray.schema.predictions import PREDICTIONS
from medray.storage.commit import ORDER, Outcome, commit_run, write_rows
from medray.storage.plans import Plan, now, write_plan
from medray.storage.shards import Key, write_shard
from medray.storage.snapshot import snapshot
from medray.storage.store import LAKE

pytestmark = pytest.mark.ray
DAYS = 30
_UNUSED = "0123456789abcdef"  # a preparation of nobody
LATER = timedelta(days=40)  # everything in the lake is older than the retention then


def _planted(lake: str, path: str, *, young: bool = False) -> str:
    place = Path(lake) / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(b"planted")
    if young:
        when = (now() + timedelta(days=35)).timestamp()
        os.utime(place, (when, when))
    return path


def _plan(lake: str, name: str) -> Plan:
    return write_plan(
        LAKE, lake, plan(name=name, kind="labels", tables_read=snapshot(LAKE, lake).versions, planned_at=now())
    )


def _held(lake: str, name: str) -> tuple[Plan, list[Any]]:
    """A committed run whose answers are held, as the gate leaves them: in two tables' folders, named by one."""
    made = _plan(lake, name)
    rows = snapshot(LAKE, lake).table(PREDICTIONS).slice(0, 2)
    files = write_rows(LAKE, lake, made, HELD, rows, "000000")
    write_rows(LAKE, lake, made, PREDICTIONS, rows, "000000")
    commit_run(LAKE, lake, made, Outcome({}, {HELD.name: files}, verdict="held"))
    return made, files


def _shard(lake: str, path: str, data_file: str) -> str:
    values = [np.zeros((1, 16, 16), np.float32)]
    facts = {"data_file": data_file}
    write_shard(LAKE, str(Path(lake) / path), [Key("x", 1, 0)], values, Layout((1, 16, 16), "float32"), facts)
    return path


def _preparation(lake: str) -> Path:
    """The folder of the shards that the scene's model was trained with."""
    return next(one for one in (Path(lake) / "cache" / "image").iterdir() if one.name != _UNUSED)


def _garbage(lake: str) -> set[str]:
    """One of each kind, and what a life of ingest, train and predict leaves behind."""
    root = Path(lake)
    runs = {row["job"]: row["run_id"] for row in snapshot(LAKE, lake).runs.to_pylist()}
    dead = _plan(lake, "dead")
    data = f"tables/predictions/data/{dead.run_id}"
    found = {_planted(lake, f"{data}/000000.parquet"), _planted(lake, f"staging/{dead.run_id}/000000.arrow")}
    found.add(_planted(lake, f"training/{dead.run_id}/000001.checkpoint"))
    found.add(_planted(lake, f"training/{dead.run_id}/trials/3/failed.json"))
    abandon(lake, dead.run_id, job())
    rejected, files = _held(lake, "rejected")
    out = _plan(lake, "out")
    commit_run(LAKE, lake, out, Outcome({}, taken_out={HELD.name: [file.path for file in files]}))
    found |= {f"tables/{name}/data/{rejected.run_id}/000000.parquet" for name in ("held", "predictions")}
    found.add(_planted(lake, f"tables/images/data/{runs['ingest_dicom']}/.tmp-1"))
    found.add(_planted(lake, f"plans/predict/{runs['predict']}/.tmp-2"))
    found.add(_planted(lake, f"staging/{runs['predict']}/000000.arrow"))
    kept = _preparation(lake)
    found.add(_shard(lake, f"cache/image/{_UNUSED}/old.arrow", "data/x/000000.parquet"))
    found.add(_shard(lake, f"cache/image/{kept.name}/gone.arrow", "data/x/000000.parquet"))
    found.add(_planted(lake, f"cache/image/{kept.name}/.tmp-3"))
    training = root / "training" / runs["train"]
    found |= {str(path.relative_to(root)) for path in training.rglob("*") if path.is_file()}
    for table in ("images", "labels", "predictions"):  # chunks that were written again without a duplicate
        place = root / "tables" / table
        named = {Path(uri) for uri in DeltaTable(str(place)).file_uris()}
        found |= {
            str(path.relative_to(root))
            for path in place.glob("data/*/*.parquet")
            if path not in named and path.parent.name in runs.values()
        }
    return found


def _treasure(lake: str) -> set[str]:
    """One of each kind that must stay, though no newest version names it."""
    runs = {row["job"]: row["run_id"] for row in snapshot(LAKE, lake).runs.to_pylist()}
    held, _ = _held(lake, "held")
    begun = _plan(lake, "open")
    data = f"tables/predictions/data/{begun.run_id}"
    kept = _preparation(lake)
    young = f"tables/predictions/data/{runs['predict']}/young.parquet"
    return {
        f"tables/predictions/data/{held.run_id}/000000.parquet",
        f"tables/held/data/{held.run_id}/000000.parquet",
        _planted(lake, f"{data}/000000.parquet"),
        _planted(lake, f"{data}/.tmp-1"),
        _planted(lake, f"staging/{begun.run_id}/000000.arrow"),
        _planted(lake, f"tables/quarantine/data/{runs['ingest_dicom']}/.tmp-1"),
        _planted(lake, "tables/predictions/data/nobody/000000.parquet"),
        _planted(lake, "models/blobs/mine/weights.safetensors"),
        _planted(lake, young, young=True),
        _planted(lake, f"cache/image/{kept.name}/young.arrow", young=True),
        *(str(path.relative_to(lake)) for path in kept.glob("*.arrow") if path.name != "gone.arrow"),
    }


def _files(lake: str) -> set[str]:
    return {str(path.relative_to(lake)) for path in Path(lake).rglob("*") if path.is_file()}


def _read(lake: str) -> dict[str, list[dict[str, Any]]]:
    state = snapshot(LAKE, lake)
    return {contract.name: state.table(contract).to_pylist() for contract in ORDER}


def test_exactly_the_garbage_goes_and_readers_see_no_difference(scored: Scene) -> None:
    lake = scored.lake
    garbage = _garbage(lake)
    treasure = _treasure(lake)
    before, rows = _files(lake), _read(lake)
    listed = find(lake, DAYS, None, job(), now() + LATER)
    assert {one.path for one in listed} == garbage
    assert _files(lake) == before  # a dry run
    assert {one.path for one in vacuum(lake, DAYS, None, job(), now() + LATER)} == garbage
    left = _files(lake)
    assert before - left == garbage
    assert treasure <= left
    assert {path.split("/")[0] for path in left - before} == {"plans", "tables"}  # its own run
    assert _read(lake) == rows
    assert verify(snapshot(LAKE, lake)).faults == ()
    row = next(row for row in reversed(rows["predictions"]) if row["status"] == "scored")
    told = CliRunner().invoke(cli.app, ["explain-row", lake, "--image", row["SOPInstanceUID"], "--run", row["run_id"],
                                        "--rebuild", "--json"])  # fmt: skip
    assert json.loads(told.output)["rebuild"]["same"], told.output
    event = next(row for row in snapshot(LAKE, lake).table(AUDIT).to_pylist() if row["event"] == "vacuum")
    detail = json.loads(event["detail"])
    assert (detail["objects"], detail["days"]) == (len(garbage), DAYS)
    assert vacuum(lake, DAYS, None, job(), now() + LATER) == []


def test_within_the_retention_nothing_goes(scored: Scene) -> None:
    _garbage(scored.lake)
    assert find(scored.lake, DAYS, 1, job(), now()) == []
    told = CliRunner().invoke(cli.app, ["vacuum", scored.lake, "--delete"])
    assert told.exit_code == 0, told.output
    assert "nothing to delete" in told.output


def test_a_vacuum_that_is_killed_half_way_is_finished_by_the_next(
    scored: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = scored.lake
    garbage = _garbage(lake)
    treasure = _treasure(lake)
    before, remove = _files(lake), vacuuming.remove

    def killed(store: Any, root: str, uris: Sequence[str]) -> None:
        remove(store, root, uris[: len(uris) // 2])
        raise KeyboardInterrupt

    monkeypatch.setattr(vacuuming, "remove", killed)
    with pytest.raises(KeyboardInterrupt):
        vacuum(lake, DAYS, None, job(), now() + LATER)
    assert garbage & _files(lake)
    assert "vacuum" in {one.plan.job for one in status(lake, job(), now()).open}
    monkeypatch.setattr(vacuuming, "remove", remove)
    vacuum(lake, DAYS, None, job(), now() + LATER)
    left = _files(lake)
    assert before - left == garbage
    assert treasure <= left
    assert "vacuum" not in {one.plan.job for one in status(lake, job(), now()).open}
    assert len([row for row in snapshot(LAKE, lake).table(AUDIT).to_pylist() if row["event"] == "vacuum"]) == 1


def test_reports_go_by_their_own_age_and_their_numbers_stay(scored: Scene) -> None:
    lake = scored.lake
    runs = snapshot(LAKE, lake).runs.to_pylist()
    run = next(row["run_id"] for row in runs if row["job"] == "predict")
    page = _planted(lake, f"reports/{run}/report.html")
    _planted(lake, f"reports/{run}/metrics.json")
    pages = {str(path.relative_to(lake)) for path in Path(lake).glob("reports/*/report.html")}
    assert page in pages
    kinds: Callable[[int | None], set[str]] = lambda reports: {  # noqa: E731
        one.path for one in find(lake, DAYS, reports, job(), now() + LATER) if one.kind == "report"
    }
    assert kinds(None) == set()
    assert kinds(60) == set()
    assert kinds(35) == pages
    assert kinds(1) == pages  # never before the retention


def test_an_open_plan_of_another_run_keeps_old_versions(scored: Scene) -> None:
    """A run that was planned while answers were held may read them."""
    lake = scored.lake
    held, files = _held(lake, "held")
    reader = _plan(lake, "reader")
    out = _plan(lake, "out")
    commit_run(LAKE, lake, out, Outcome({}, taken_out={HELD.name: [file.path for file in files]}))
    path = f"tables/held/data/{held.run_id}/000000.parquet"
    assert path not in {one.path for one in find(lake, DAYS, None, job(), now() + LATER)}
    commit_run(LAKE, lake, reader, Outcome({}))
    assert path in {one.path for one in find(lake, DAYS, None, job(), now() + LATER)}


def test_an_empty_lake_has_no_garbage(lake: str) -> None:
    assert find(lake, DAYS, None, job(), now()) == []
