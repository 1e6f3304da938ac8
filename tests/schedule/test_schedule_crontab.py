"""The printed line, run by a shell as cron would: one run at a time, silent when well, loud when not."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest
from manifests import ROOT

from medray.schedule.crontab import crontab
from medray.schedule.nights import schedule
from medray.schedule.order import Order, order

STUB = """#!/bin/sh
echo "$0 $*"
[ -e "$(dirname "$0")/slow" ] && sleep 3
exit $(cat "$(dirname "$0")/code")
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a blank in its name, a recipe, and programs that end as they are told."""
    folder = tmp_path / "a night's folder"
    folder.mkdir()
    for name in ("python", "medray"):
        (folder / name).write_text(STUB)
        (folder / name).chmod(0o755)
    (folder / "code").write_text("0")
    (folder / "nightly.toml").write_text((ROOT / "jobs" / "recipes" / "chest" / "nightly.toml").read_text())
    return folder


def _order(place: Path, address: str = "") -> Order:
    return order(
        str(place / "nightly.toml"), "nightly", "chest-night", schedule("30 23 * * 1-5", "Europe/Berlin"), address
    )


def _command(place: Path, address: str = "") -> str:
    *notes, line = crontab(_order(place, address), str(place / "python"), ["a remark"]).splitlines()
    assert all(note.startswith("# ") for note in notes)
    assert line.startswith("30 23 * * 1-5 ")
    assert "%" not in line  # crontab would end the line there
    return line.removeprefix("30 23 * * 1-5 ")


def _run(command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, timeout=20, check=False)


def test_a_night_that_ends_well_says_nothing_and_its_log_says_what_ran(place: Path) -> None:
    done = _run(_command(place))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    told = (place / "medray-chest-night.log").read_text()
    assert f"-m medray.entry nightly {place}/nightly.toml --scheduled 30 23 * * 1-5 --time-zone Europe/Berlin" in told


@pytest.mark.parametrize("code", [1, 2, 3])
def test_any_other_end_is_mailed_and_is_the_lines_own(place: Path, code: int) -> None:
    (place / "code").write_text(str(code))
    done = _run(_command(place))
    assert done.returncode == code
    assert f"exit code {code}" in done.stdout
    assert "medray-chest-night.log" in done.stdout


def test_a_second_run_beside_a_first_is_not_started(place: Path) -> None:
    (place / "slow").touch()
    command = _command(place)
    with subprocess.Popen(["/bin/sh", "-c", command]):
        log = place / "medray-chest-night.log"
        for _ in range(100):
            if log.exists() and log.read_text():
                break
            time.sleep(0.05)
        second = _run(command)
    assert second.returncode == 75
    assert "still running" in second.stdout
    assert len(log.read_text().splitlines()) == 1
    (place / "slow").unlink()
    assert _run(command).returncode == 0  # the lock went with the first


def test_a_run_past_its_deadline_is_ended(place: Path) -> None:
    (place / "slow").touch()
    assert " 72000 " in _command(place)
    done = _run(_command(place).replace(" 72000 ", " 1 "))
    assert done.returncode == 124


def test_with_an_address_the_cluster_runs_it(place: Path) -> None:
    assert _run(_command(place, "https://ray.hospital.example/")).returncode == 0
    told = (place / "medray-chest-night.log").read_text()
    assert (
        f"{place}/medray submit {place}/nightly.toml --address https://ray.hospital.example --deadline-s 72000" in told
    )
