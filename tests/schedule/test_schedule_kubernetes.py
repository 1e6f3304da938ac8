"""The CronJob that `medray schedule` prints is one that Kubernetes takes, and keeps its promises."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from manifests import ROOT, documents, validate
from typer.testing import CliRunner

from medray import config
from medray.cli import app

RECIPE = ROOT / "jobs" / "recipes" / "chest" / "nightly.toml"
WHERE = ["--on", "kubernetes", "--address", "https://ray.hospital.example", "--image", "r.example/medray:1"]


def _printed(*arguments: str, recipe: Path = RECIPE, code: int = 0) -> str:
    told = CliRunner().invoke(app, ["schedule", str(recipe), *arguments])
    assert told.exit_code == code, told.output
    return told.output


def _spec(*arguments: str) -> dict[str, Any]:
    _, night = documents(_printed("--cron", "30 23 * * mon-fri", *WHERE, *arguments))
    return dict(night["spec"])


def test_it_validates_and_carries_the_recipe() -> None:
    config_map, night = documents(_printed("--cron", "0 2 * * *", *WHERE))
    validate(config_map)
    validate(night)
    assert tomllib.loads(config_map["data"]["recipe.toml"]) == tomllib.loads(RECIPE.read_text())
    pod = night["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert pod["volumes"][0]["configMap"]["name"] == config_map["metadata"]["name"] == night["metadata"]["name"]


def test_one_run_at_a_time_within_its_night_and_no_held_night_again() -> None:
    spec = _spec("--time-zone", "Europe/Berlin")
    assert (spec["schedule"], spec["timeZone"]) == ("30 23 * * 1-5", "Europe/Berlin")
    assert spec["concurrencyPolicy"] == "Forbid"
    assert (spec["successfulJobsHistoryLimit"], spec["failedJobsHistoryLimit"]) == (7, 30)
    job = spec["jobTemplate"]["spec"]
    # The latest start and the longest run together end before the next night is due, 23 h later at least.
    assert 0 < spec["startingDeadlineSeconds"] + job["activeDeadlineSeconds"] < 23 * 3600
    final, moved = job["podFailurePolicy"]["rules"]
    assert final == {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [2, 3, 124]}}
    assert moved["action"] == "Ignore"
    assert job["backoffLimit"] > 0  # exit code 1 is tried again: the run continues where it stopped
    assert job["template"]["spec"]["restartPolicy"] == "Never"  # as a pod failure policy asks


def test_the_run_is_ended_on_the_cluster_before_its_submitter() -> None:
    spec = _spec()
    command = spec["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["command"]
    deadline = int(command[command.index("--deadline-s") + 1])
    assert 3600 < deadline < spec["jobTemplate"]["spec"]["activeDeadlineSeconds"]
    assert command[command.index("--scheduled") + 1] == spec["schedule"]
    assert command[command.index("--time-zone") + 1] == spec["timeZone"]


def test_a_name_that_kubernetes_would_refuse_is_shortened(tmp_path: Path) -> None:
    names = set()
    for name in ("a" * 63, "a" * 62 + "b", "night-"):
        recipe = tmp_path / "nightly.toml"
        recipe.write_text(RECIPE.read_text().replace("chest-night", name))
        _, night = documents(_printed("--cron", "0 2 * * *", *WHERE, recipe=recipe))
        validate(night)
        given = night["metadata"]["name"]
        assert len(given) <= 52
        assert given[-1] != "-"
        names.add(given)
    assert len(names) == 3


def test_a_clock_that_skips_the_time_is_told() -> None:
    assert "# In Europe/Berlin the clock skips" in _printed(
        "--cron", "30 2 * * *", "--time-zone", "Europe/Berlin", *WHERE
    )
    assert "#" not in _printed("--cron", "30 2 * * *", *WHERE).split("data:")[0]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--cron", "0 25 * * *", *WHERE], "hour '25'"),
        (["--cron", "0 2 * * *", "--on", "kubernetes", "--image", "i"], "--address"),
        (["--cron", "0 2 * * *", "--on", "kubernetes", "--address", "https://h"], "--image"),
        (["--cron", "0 2 * * *", *WHERE, "--address", "http://ray:8265"], "https"),
        (["--cron", "0 2 * * *", *WHERE, "--address", "ray.hospital.example"], "--address"),
    ],
)
def test_mistakes_are_told_in_the_projects_words(arguments: list[str], said: str) -> None:
    assert said in _printed(*arguments, code=2)


@pytest.mark.parametrize("job", [name for name in config.JOBS if name != "nightly"])
def test_only_nights_are_scheduled(job: str) -> None:
    found = sorted((ROOT / "jobs" / "recipes").rglob("*.toml"))
    recipe = next((path for path in found if config.load(str(path)).job == job), None)
    assert recipe is not None
    assert "a nightly recipe" in _printed("--cron", "0 2 * * *", *WHERE, recipe=recipe, code=2).replace("\n", " ")
