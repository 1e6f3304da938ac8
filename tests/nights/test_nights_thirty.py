"""Thirty nights of a hospital: what comes late, twice, corrected, broken or not at all."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from nights.hospital_month import BEFORE, MODEL, Month
from without_ray import without_ray

from medray.drivers.audit import verify
from medray.drivers.job import Job, Result
from medray.drivers.models.promote import promote, rollback
from medray.drivers.night.decide import decide
from medray.narration import silent
from medray.report import canvas
from medray.schema.audit import AUDIT
from medray.schema.held import HELD
from medray.schema.images import IMAGES
from medray.schema.predictions import PREDICTIONS
from medray.storage.promotions import choose
from medray.storage.snapshot import snapshot
from medray.storage.store import LAKE

FIRST = date(2026, 3, 15)  # a Sunday; summer time begins in Europe on the 29th
WEEKDAY, WEEKEND = 24, 12
MISSED, TWICE, LATE, CORRECTED, NEW_MODEL, SCANNER, ROLLBACK, BROKEN, MENDED, OUTCOMES = (
    4,
    7,
    9,
    10,
    12,
    17,
    20,
    24,
    25,
    29,
)
EMPTY = (14, 22)


@dataclass
class Story:
    """The month as it went.

    Attributes:
        results: of each night that ran.
        images: of how many the lake must know, by now; versions: with their corrections.
    """

    month: Month
    results: dict[int, Result] = field(default_factory=dict)
    images: int = BEFORE
    versions: int = BEFORE
    faults: list[str] = field(default_factory=list)

    def live(self) -> None:
        for number in range(1, 31):
            day = FIRST + timedelta(days=number - 1)
            self._comes(number, day)
            if number == MISSED:
                continue
            self.results[number] = self.month.night(day, **self._labels(number))
            if number == TWICE:
                again = self.month.night(day)
                self.faults += [] if again.status == "already" else [f"night {number} was repeated: {again.status}"]
            self.faults += [f"night {number}: {fault}" for fault in self._wrong()]
            self._decided(number, day)

    def _comes(self, number: int, day: date) -> None:
        """What lies in the archive when the night begins."""
        month = self.month
        if number in EMPTY:
            return
        count = WEEKEND if day.weekday() >= 5 else WEEKDAY
        paths = month.write(number, count, brighter={"SN-2": 90} if number == SCANNER else None)
        if number == LATE:
            for path in month.write(100 + number, 5):  # of studies three nights ago
                path.rename(month.archive / "003" / f"late-{path.name}")
            count += 5
        if number == CORRECTED:
            month.write(5, 3, brighter={"SN-1": 2, "SN-2": 2})
            self.versions += 3
        if number == NEW_MODEL:
            month.new_model(threshold=0.4)
            promote(month.lake, MODEL, 2, Job(day.isoformat(), silent()))
        if number == SCANNER + 1:  # the scanner was mended and sends last night's images again
            month.write(SCANNER, WEEKDAY)
            self.versions += WEEKDAY // 2  # the other scanner's are the same bytes
        if number == ROLLBACK:
            rollback(month.lake, MODEL, Job(day.isoformat(), silent()))
        if number == BROKEN:
            for path in paths[:16]:
                path.write_bytes(path.read_bytes()[:900])
            count -= 16
        if number == MENDED:
            month.write(BROKEN, WEEKDAY)  # 8 of them are as they were
            count += 16
        self.images += count
        self.versions += count

    def _labels(self, number: int) -> dict[str, Any]:
        if number < OUTCOMES:
            return {}
        file = self.month.folder / "labels.csv"
        rows = [f"{path.relative_to(self.month.archive)},{index % 2}" for index, path in enumerate(self._files())]
        file.write_text("path,opacity\n" + "\n".join(rows) + "\n")
        return {"labels": {"uri": str(file), "key": "path", "key_column": "path", "columns": {"opacity": "boolean"}}}

    def _files(self) -> list[Path]:
        return sorted(self.month.archive.rglob("*.dcm"))

    def _decided(self, number: int, day: date) -> None:
        """What people do in the morning."""
        if self.results[number].status == "held":
            decision = "reject" if number == SCANNER else "release"
            decide(
                self.month.lake, self.results[number].run_ids[0], decision, "looked at", Job(day.isoformat(), silent())
            )  # type: ignore[arg-type]

    def _wrong(self) -> list[str]:
        """What is lost or doubled."""
        state = snapshot(LAKE, self.month.lake)
        images = state.table(IMAGES, ("SOPInstanceUID", "input_version")).to_pylist()
        newest = {
            row["SOPInstanceUID"]: row["input_version"] for row in sorted(images, key=lambda row: row["input_version"])
        }
        model = choose(LAKE, self.month.lake, MODEL, "production").sha256
        answered = Counter(
            (row["SOPInstanceUID"], row["input_version"], row["model_sha256"])
            for table in (PREDICTIONS, HELD)
            for row in state.table(table, ("SOPInstanceUID", "input_version", "model_sha256")).to_pylist()
        )
        faults = [f"{key} answered {count} times" for key, count in answered.items() if count > 1]
        lost = [uid for uid, version in newest.items() if (uid, version, model) not in answered]
        counted = {
            "images": (len(newest), self.images), "versions": (len(images), self.versions), "lost": (len(lost), 0)
        }  # fmt: skip
        return faults + [f"{name}: {got}, expected {want}" for name, (got, want) in counted.items() if got != want]

    def report(self, number: int) -> dict[str, Any]:
        page = Path(str(self.results[number].facts["report"]))
        found: dict[str, Any] = json.loads(page.with_name("report.json").read_text())
        return found


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    month = Month(tmp_path_factory.mktemp("month"))
    with without_ray(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            canvas, "saved", lambda *_: b"<svg/>"
        )  # figures cost most of a night, and have tests of their own
        month.begin(FIRST - timedelta(days=1))
        told = Story(month)
        told.live()
        yield told


pytestmark = pytest.mark.timeout(600)


def test_nothing_is_lost_or_doubled_in_any_night(story: Story) -> None:
    assert story.faults == []
    assert sorted(story.results) == [number for number in range(1, 31) if number != MISSED]


def test_the_gate_holds_the_two_bad_nights_and_no_other(story: Story) -> None:
    assert [number for number, result in story.results.items() if result.status == "held"] == [SCANNER, BROKEN]


def test_the_report_of_a_bad_night_shows_why(story: Story) -> None:
    scanner, broken = (story.report(number) for number in (SCANNER, BROKEN))
    assert any(one["check"] == "drift" and "scanner" in one["about"] for one in scanner["findings"] if one["holds"])
    assert [(one["check"], one["found"]) for one in broken["findings"] if one["holds"]] == [
        ("quarantined", "16 of 24 (66.7%)")
    ]
    page = Path(str(story.results[BROKEN].facts["report"])).read_text()
    assert ">HELD<" in page
    assert "16 of 24 (66.7%)" in page


def test_an_empty_night_is_noted_and_a_double_one_is_not(story: Story) -> None:
    assert [one["check"] for one in story.report(EMPTY[0])["findings"]] == ["volume"]
    assert not story.report(EMPTY[0])["findings"][0]["holds"]
    assert story.report(MISSED + 1)["night"]["usable"] == 2 * WEEKDAY
    assert story.report(MISSED + 1)["findings"] == []


def test_a_new_model_and_a_rollback_score_what_they_have_not(story: Story) -> None:
    sums = {
        n: dict(next(one for one in story.results[n].sums if one.total_name == "requested").parts) for n in (12, 20)
    }
    asked = {number: part["known"] + part["scored"] for number, part in sums.items()}
    assert sums[NEW_MODEL]["known"] == 0
    assert sums[NEW_MODEL]["scored"] == asked[NEW_MODEL]
    # Version 1 has scored all nights but those of version 2; of these, what was not superseded since.
    assert sums[ROLLBACK]["known"] == asked[NEW_MODEL] - WEEKDAY
    assert [row["model"]["version"] for row in map(story.report, (11, 12, 19, 20))] == [1, 2, 2, 1]


def test_what_was_rejected_is_nowhere_and_what_was_released_is_published(story: Story) -> None:
    state = snapshot(LAKE, story.month.lake)
    assert state.table(HELD, ("label",)).num_rows == 0
    dates = state.table(PREDICTIONS, ("run_date",))["run_date"].to_pylist()
    assert FIRST + timedelta(days=SCANNER - 1) not in dates
    assert dates.count(FIRST + timedelta(days=BROKEN - 1)) == 8


def test_the_audit_agrees_with_the_logs_and_tells_who_decided(story: Story) -> None:
    state = snapshot(LAKE, story.month.lake)
    assert verify(state).faults == ()
    events = Counter(state.table(AUDIT, ("event",))["event"].to_pylist())
    assert (events["gate"], events["release"], events["reject"], events["promotion"]) == (29, 1, 1, 3)


def test_outcomes_that_arrive_late_are_evaluated_by_month(story: Story) -> None:
    assert story.report(OUTCOMES - 1)["outcomes"] == {}
    found = story.report(OUTCOMES)["outcomes"]
    assert sorted(found) == ["2026-03", "2026-04"]
    assert found["2026-04"]["opacity"]["n"] > 100
