"""What a machine is told with MEDRAY_LOG=json: one object a line."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest

from medray import narration
from medray.drivers.job import Result
from medray.entry import conclude, stopped_by_contract
from medray.errors import StorageError
from medray.narration import JsonNarrator, Narrator, narrator
from medray.planning.accounting import Sum


def _lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_lines_hold_what_they_are_about_and_their_numbers(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEDRAY_LOG", "json")
    tell = narrator()
    tell.about(job="predict", recipe="chest", run_date="2026-01-02")
    tell.title("predict: chest")
    monkeypatch.setattr(narration, "_EVERY_S", 0.0)
    with tell.bar("predict", 5, run_id="ab12") as bar:
        bar.advance(2, "half")
        bar.advance(3)
    total = Sum("requested", 5, {"known": 1, "scored": 4})
    conclude(Result("done", ("ab12" * 8,), (total,)), tell)
    begin, half, whole, stage, done = _lines(capsys)
    assert {"job": "predict", "recipe": "chest", "level": "info", "event": "begin"}.items() <= begin.items()
    assert datetime.fromisoformat(begin["time"]).utcoffset() is not None
    far = {"event": "progress", "run_id": "ab12", "stage": "predict", "done": 2, "total": 5, "text": "half"}
    assert far.items() <= half.items()
    assert (whole["done"], stage["event"], stage["done"]) == (5, "stage", 5)
    assert {"event": "done", "run_ids": ["ab12" * 8]}.items() <= done.items()
    assert done["sums"] == [{"requested": 5, "known": 1, "scored": 4}]


def test_a_broken_contract_is_an_error_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended, stopped_by_contract(JsonNarrator()):
        raise StorageError("lake x", "nothing", "a lake", "look")
    assert ended.value.code == 1
    (line,) = _lines(capsys)
    told = {"level": "error", "event": "stopped", "kind": "StorageError", "where": "lake x", "do": "look"}
    assert told.items() <= line.items()


def test_a_person_reads_lines_without_facts(capsys: pytest.CaptureFixture[str]) -> None:
    Narrator().say("scored 4", event="sum", scored=4)
    assert capsys.readouterr().out == "  scored 4\n"


def test_another_form_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDRAY_LOG", "xml")
    with pytest.raises(Exception, match=r"found 'xml'\. Allowed: text or json"):
        narrator()
