"""A real head started with `ray start --head` in namespaces of its own takes `medray submit`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from medray.demo.archive import write_archive
from medray.demo.cases import synthetic
from medray.engine.submit import submission_id
from medray.errors import SubmitError

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
UNSHARE = ("unshare", "--pid", "--net", "--fork", "--mount-proc")

_STORY = """
set -u
ip link set lo up
export HOME={home} RAY_USAGE_STATS_ENABLED=0 RAY_AUTH_MODE=token MEDRAY_TEST_KEY={key} PATH={bin}:$PATH
ray get-auth-token --generate > /dev/null 2>&1
ray start --head --num-cpus=2 --temp-dir={temp} > head.log 2>&1 || exit 99
address=http://127.0.0.1:8265
for _ in $(seq 60); do ray job list --address $address > /dev/null 2>&1 && break; sleep 0.5; done
submit() {{
  medray submit "$@" --run-date 2026-01-01 --address $address > last.log 2>&1
  echo "$?"
  cat last.log >> all.log
}}
echo "first $(submit ingest.toml)"
echo "second $(submit ingest.toml)"
grep -q 'nothing was submitted' last.log && echo said
echo "failing $(submit ingest.toml --set source.uri=/nowhere)"
echo "again $(submit ingest.toml --set source.uri=/nowhere)"
grep -q 'try2' last.log && echo said
medray submit ingest.toml --run-date 2026-01-02 --address $address > slow.log 2>&1 &
for _ in $(seq 100); do grep -q 'submitted as' slow.log && break; sleep 0.1; done
medray submit ingest.toml --run-date 2026-01-02 --address $address > copy.log 2>&1; echo "copy $?"
grep -q 'under way' copy.log && echo said
wait $!; echo "slow $?"
RAY_AUTH_MODE=disabled medray submit ingest.toml --address $address > refused.log 2>&1; echo "token $?"
grep -q 'refuses the token' refused.log && echo said
cd {root}
plainly() {{ ray job submit --address $address --working-dir . -- python jobs/ingest_dicom.py {folder}/ingest.toml; }}
plainly > {folder}/plain.log 2>&1
echo "plain $?"
"""


def _namespaces() -> bool:
    tried = subprocess.run(
        ["unshare", "--pid", "--net", "--fork", "--mount-proc", "true"], capture_output=True, check=False
    )
    return tried.returncode == 0


@pytest.mark.cluster
@pytest.mark.timeout(300)
def test_a_head_takes_a_recipe_once_and_returns_the_drivers_exit_code(tmp_path: Path) -> None:
    if shutil.which("unshare") is None or not _namespaces():
        pytest.skip("the kernel gives no namespaces: several heads on one machine would disturb each other")
    write_archive(tmp_path, synthetic(6, seed=1, size=32), label="opacity", first_day=date(2024, 1, 1))
    (tmp_path / "ingest.toml").write_text(
        f'job = "ingest_dicom"\nname = "submitted"\nlake = "{tmp_path}/lake"\n'
        f'[source]\nkind = "dicom"\nuri = "{tmp_path}/archive"\nsubject = "PatientID"\n'
        '[deidentify]\nprofile = "basic"\nkey = "env:MEDRAY_TEST_KEY"\n'
    )
    home = tmp_path / "home"
    home.mkdir()
    temp = Path("/tmp") / f"mrh{os.getpid()}"  # sockets need short paths
    script = _STORY.format(home=home, key="k" * 64, bin=BIN, temp=temp, root=ROOT, folder=tmp_path)
    try:
        told = subprocess.run(
            [*UNSHARE, "bash", "-c", script],
            cwd=tmp_path, capture_output=True, text=True, timeout=280, check=False,
        )  # fmt: skip
    finally:
        shutil.rmtree(temp, ignore_errors=True)
    logs = "".join(path.read_text()[-1500:] for path in sorted(tmp_path.glob("*.log")))
    expected = """
first 0|second 0|said|failing 1|again 1|said|copy 1|said|slow 0|token 1|said|plain 0
"""
    assert told.stdout.split("\n")[:-1] == expected.strip().split("|"), told.stdout + told.stderr + logs
    assert "listed 12 = known 0 + ingested 6 + duplicate 1 + quarantined 5" in (tmp_path / "all.log").read_text()


def test_the_submission_id_follows_from_recipe_and_date() -> None:
    from medray import config

    recipe = config.load(str(ROOT / "jobs" / "recipes" / "chest" / "predict.toml"))
    other = config.load(str(ROOT / "jobs" / "recipes" / "chest" / "predict.toml"), ["model.version=1"])
    assert submission_id(recipe, "2026-01-01") == submission_id(recipe, "2026-01-01")
    assert submission_id(recipe, "2026-01-01").startswith("medray-predict-chest-2026-01-01-")
    assert (
        len(
            {
                submission_id(recipe, "2026-01-02"),
                submission_id(other, "2026-01-01"),
                submission_id(recipe, "2026-01-01"),
            }
        )
        == 3
    )


@pytest.mark.parametrize("address", ["http://10.0.0.1:8265", "http://ray.example.org:8265", "10.0.0.1:8265"])
def test_recipes_do_not_cross_a_network_in_clear(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from medray import config
    from medray.engine.submit import submit

    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    recipe = config.load(str(ROOT / "jobs" / "recipes" / "chest" / "predict.toml"))
    with pytest.raises(SubmitError, match="https and RAY_AUTH_MODE=token"):
        submit(recipe, "2026-01-01", address, print)
