"""A held night, and what becomes of it: released, rejected, cut off half-way, decided twice."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from nights.hospital_month import MODEL, Month
from without_ray import without_ray

from medray import entry
from medray.drivers.audit import verify
from medray.drivers.job import Job, Result
from medray.drivers.models import predict as predict_module
from medray.drivers.models.promote import promote, rollback
from medray.drivers.night.decide import Decision, decide
from medray.errors import ModelError, PlanError
from medray.narration import silent
from medray.report import canvas
from medray.schema.audit import AUDIT
from medray.schema.contract import TableContract
from medray.schema.held import HELD
from medray.schema.predictions import PREDICTIONS
from medray.schema.runs import RUNS
from medray.storage import delta
from medray.storage.promotions import choose
from medray.storage.snapshot import snapshot
from medray.storage.store import LAKE

DAY = date(2026, 3, 16)
SCANNER = {"SN-1": 90, "SN-2": 90}
JOB = Job(DAY.isoformat(), silent())
COLUMNS = ("SOPInstanceUID", "raw_score", "run_id", "run_date")


@pytest.fixture(scope="module")
def aside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A month with one good night and a held one."""
    folder = tmp_path_factory.mktemp("held")
    month = Month(folder / "scene")
    month.folder.mkdir()
    with without_ray(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(canvas, "saved", lambda *_: b"<svg/>")
        month.begin(DAY - timedelta(days=2))
        assert month.night(DAY - timedelta(days=1)).status == "done"
        month.write(1, 20, brighter=SCANNER)
        assert month.night(DAY).status == "held"
        shutil.copytree(month.folder, folder / "aside")
        yield folder


@pytest.fixture
def month(aside: Path) -> Month:
    """As it was, in the morning after the held night."""
    shutil.rmtree(aside / "scene")
    shutil.copytree(aside / "aside", aside / "scene")
    return Month(aside / "scene")


def rows(month: Month, table: TableContract, columns: tuple[str, ...] = COLUMNS) -> list[dict[str, Any]]:
    found = snapshot(LAKE, month.lake).table(table, columns)
    return sorted(found.to_pylist(), key=str)


def held_run(month: Month) -> str:
    state = snapshot(LAKE, month.lake)
    return next(row["run_id"] for row in state.runs.to_pylist() if (row["job"], row["verdict"]) == ("nightly", "held"))


def test_held_answers_are_not_published_and_count_as_done(month: Month) -> None:
    assert len(rows(month, HELD)) == 20
    assert {row["run_date"] for row in rows(month, PREDICTIONS)} == {DAY - timedelta(days=1)}
    again = month.night(DAY)
    assert again.status == "held"  # a held night that is run again stays held
    following = month.night(DAY + timedelta(days=1))
    assert following.status == "done"
    assert dict(following.sums[-1].parts)["scored"] == 0


def test_a_release_publishes_the_same_files(month: Month) -> None:
    held = rows(month, HELD)
    decided = decide(month.lake, held_run(month)[:8], "release", "a new detector", JOB)
    assert decided.answers == 20
    assert rows(month, HELD) == []
    assert [row for row in rows(month, PREDICTIONS) if row["run_date"] == DAY] == held
    assert month.night(DAY).status == "already"
    assert decide(month.lake, held_run(month), "release", "again", JOB).answers is None


def test_a_rejected_night_is_asked_again_by_the_next_and_by_itself(month: Month) -> None:
    before = rows(month, PREDICTIONS)
    assert decide(month.lake, held_run(month), "reject", "the detector was off", JOB).answers == 20
    assert rows(month, HELD) == []
    assert rows(month, PREDICTIONS) == before
    again = month.night(DAY)
    assert again.status == "held"  # the images are as they were
    assert dict(again.sums[-1].parts)["scored"] == 20
    assert len(rows(month, HELD)) == 20
    assert decide(month.lake, again.run_ids[0], "release", "after all", JOB).answers == 20


@pytest.mark.parametrize(("first", "second"), [("release", "reject"), ("reject", "release")])
def test_one_decision_about_a_night(month: Month, first: Decision, second: Decision) -> None:
    decide(month.lake, held_run(month), first, "seen", JOB)
    with pytest.raises(PlanError, match=f"somebody has decided to {first}"):
        decide(month.lake, held_run(month), second, "seen", JOB)


def test_of_two_who_decide_at_once_the_first_has_it(month: Month) -> None:
    """The second has looked before the first was done."""
    run, early = held_run(month), snapshot(LAKE, month.lake)
    decide(month.lake, run, "release", "first", JOB)
    published = rows(month, PREDICTIONS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("medray.drivers.night.decide.snapshot", lambda *_: early)
        with pytest.raises(PlanError, match="files that another run has taken out"):
            decide(month.lake, run, "reject", "second", JOB)
    assert rows(month, PREDICTIONS) == published


class Killed(BaseException):
    """The driver's end."""


@pytest.mark.parametrize("before", [HELD, PREDICTIONS, AUDIT, RUNS], ids=lambda contract: contract.name)
def test_a_release_that_is_cut_off_shows_nothing_and_is_finished(month: Month, before: TableContract) -> None:
    held, published = rows(month, HELD), rows(month, PREDICTIONS)
    append = delta.append

    def until(store: Any, lake: str, contract: TableContract, *rest: Any, **named: Any) -> int | None:
        if contract.name == before.name:
            raise Killed
        return append(store, lake, contract, *rest, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delta, "append", until)
        with pytest.raises(Killed):
            decide(month.lake, held_run(month), "release", "seen", JOB)
    assert (rows(month, HELD), rows(month, PREDICTIONS)) == (held, published)
    assert month.night(DAY + timedelta(days=1)).status == "done"  # and another run does not make it visible
    assert (rows(month, HELD), rows(month, PREDICTIONS)) == (held, published)
    decide(month.lake, held_run(month), "release", "seen", JOB)
    assert rows(month, PREDICTIONS) == sorted([*published, *held], key=str)


@pytest.mark.parametrize("run", ["", "zz"])
def test_a_night_that_is_none_names_those_that_wait(month: Month, run: str) -> None:
    if not run:
        decide(month.lake, held_run(month), "release", "seen", JOB)
        run = "zz"
    with pytest.raises(PlanError, match=r"0 held nights that begin with 'zz'.*wait: "):
        decide(month.lake, run, "release", "seen", JOB)


def test_a_nights_unjudged_answers_are_published_by_nobody_else(month: Month) -> None:
    """A night is killed after it has scored; a predict job comes by."""
    month.write(2, 6)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(predict_module, "commit_run", _die)
        with pytest.raises(Killed):
            month.night(DAY + timedelta(days=1))
    before = rows(month, PREDICTIONS)
    with pytest.raises(PlanError, match="scored and not judged yet"):
        month.predict(DAY + timedelta(days=1))
    assert rows(month, PREDICTIONS) == before
    assert month.night(DAY + timedelta(days=1)).status == "done"
    assert len(rows(month, PREDICTIONS)) == len(before) + 6


def _die(*_: Any) -> None:
    raise Killed


def test_a_back_fill_scores_the_nights_that_are_named(month: Month) -> None:
    month.new_model(threshold=0.4)
    found = month.predict(
        DAY, model={"name": MODEL, "version": 2}, select={"since": "2026-03-16", "until": "2026-03-16"}
    )
    assert dict(found.sums[0].parts) == {"known": 0, "scored": 20, "abstained": 0, "quarantined": 0}
    rest = month.predict(DAY, model={"name": MODEL, "version": 2})
    assert dict(rest.sums[0].parts)["known"] == 20


def test_promotion_and_rollback_are_told(month: Month) -> None:
    with pytest.raises(ModelError, match="an earlier one to go back to"):
        rollback(month.lake, MODEL, JOB)
    month.new_model(threshold=0.4)
    promote(month.lake, MODEL, 2, JOB)
    assert choose(LAKE, month.lake, MODEL, "production").version == 2
    assert rollback(month.lake, MODEL, JOB).version == 1
    assert choose(LAKE, month.lake, MODEL, "production").version == 1
    events = [
        (row["version"], json.loads(row["detail"])["replaced"])
        for row in rows(month, AUDIT, ("event", "version", "detail", "at"))
        if row["event"] == "promotion"
    ]
    assert sorted(events, key=str) == [(1, 2), (1, None), (2, 1)]
    assert verify(snapshot(LAKE, month.lake)).faults == ()


def test_the_door_exits_with_three_when_a_night_is_held(month: Month, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _exit_code(month, monkeypatch, "held") == 3
    assert _exit_code(month, monkeypatch, "done") is None


def _exit_code(month: Month, monkeypatch: pytest.MonkeyPatch, status: Any) -> int | None:
    from contextlib import nullcontext

    result = Result(status, ("r" * 32,))
    monkeypatch.setattr("medray.engine.session.session", lambda *_: nullcontext({}))
    monkeypatch.setattr(entry, "driver", lambda _: lambda *_: result)
    try:
        entry.run(month.parsed("nightly"), DAY.isoformat(), silent())
    except SystemExit as end:
        return int(str(end.code))
    return None


# -- the audit


def _first_log_entry_of(month: Month, table: str) -> Path:
    log = Path(month.lake) / "tables" / table / "_delta_log"
    return next(path for path in sorted(log.glob("*.json")) if '"add"' in path.read_text())


def _commit_by_hand(month: Month) -> None:
    import pyarrow as pa
    from deltalake import write_deltalake

    table = Path(month.lake) / "tables" / "predictions"
    some = pa.Table.from_pylist(
        rows(month, PREDICTIONS, tuple(PREDICTIONS.schema.names))[:1], schema=PREDICTIONS.schema
    )
    write_deltalake(str(table), some, mode="append")


def _lose_a_file(month: Month) -> None:
    next((Path(month.lake) / "tables" / "images" / "data").rglob("*.parquet")).unlink()


def _cut_a_file(month: Month) -> None:
    (named, *_) = delta.named_files(LAKE, month.lake, PREDICTIONS)
    path = Path(month.lake) / "tables" / "predictions" / named.path
    path.write_bytes(path.read_bytes()[:-1])


def _rewrite_the_log(month: Month) -> None:
    path = _first_log_entry_of(month, "predictions")
    path.write_text(path.read_text().replace('"path":"data/', '"path":"data/x'))


def _promote_by_hand(month: Month) -> None:
    path = Path(month.lake) / "models" / MODEL / "promotions" / "000001.json"
    made = json.loads(path.read_text())
    path.with_name("000002.json").write_text(json.dumps({**made, "number": 2, "cause": "me"}))


@pytest.mark.parametrize(
    ("tamper", "fault"),
    [
        (_commit_by_hand, "made by something else than medray"),
        (_lose_a_file, "not there"),
        (_cut_a_file, "the log says"),
        (_rewrite_the_log, "names other files than the audit says"),
        (_promote_by_hand, "promotion 2: the audit does not know it"),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_what_was_tampered_with_is_found(month: Month, tamper: Callable[[Month], None], fault: str) -> None:
    assert verify(snapshot(LAKE, month.lake)).faults == ()
    tamper(month)
    assert any(fault in one for one in verify(snapshot(LAKE, month.lake)).faults)


def test_the_audit_says_who_and_holds_no_path(month: Month, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDRAY_ACTOR", "dr-who")
    decide(month.lake, held_run(month), "release", "seen by physics", JOB)
    (row,) = [one for one in rows(month, AUDIT, tuple(AUDIT.schema.names)) if one["event"] == "release"]
    assert row["actor"] == "dr-who"
    assert json.loads(row["detail"])["reason"] == "seen by physics"
    told = json.dumps([{**one, "at": "", "run_date": ""} for one in rows(month, AUDIT, tuple(AUDIT.schema.names))])
    assert "SYNTHETIC" not in told
    assert str(month.archive) not in told


def test_a_stale_model_is_held_by_its_promotion(month: Month) -> None:
    late = date.today() + timedelta(days=400)
    assert month.night(late).status == "held"
    promote(month.lake, MODEL, 1, JOB)  # looked at again
    assert month.night(late + timedelta(days=1), gate={"min_inputs": 10, "model_days": 500}).status == "done"


def test_nights_that_were_cut_off_across_each_other_are_finished(month: Month) -> None:
    """The first is killed before it scores, the second overtakes it and is killed unjudged; a third comes."""
    month.write(2, 6)
    first, second, third = (DAY + timedelta(days=back) for back in (1, 2, 3))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("medray.drivers.night.nightly.predict", _die)
        with pytest.raises(Killed):
            month.night(first)
        patch.undo()
        patch.setattr("medray.drivers.night.nightly._finish_others", lambda *_: None)
        patch.setattr(predict_module, "commit_run", _die)
        with pytest.raises(Killed):
            month.night(second)
    assert month.night(third).status == "done"
    state = snapshot(LAKE, month.lake)
    nights = [row["run_date"] for row in state.runs.to_pylist() if row["job"] == "nightly"]
    assert {first, second, third} <= set(nights)
    assert len({row["SOPInstanceUID"] for row in rows(month, PREDICTIONS)}) == len(rows(month, PREDICTIONS))
