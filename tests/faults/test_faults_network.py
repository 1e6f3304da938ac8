"""Two nodes over a network: one is cut off in the middle of a run, its workers go on as zombies, and it comes back."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from medray.demo.archive import write_archive
from medray.demo.cases import synthetic
from medray.schema.images import IMAGES
from medray.schema.quarantine import QUARANTINE
from medray.storage.snapshot import snapshot
from medray.storage.store import LAKE

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
UNSHARE = ("unshare", "--pid", "--net", "--mount", "--fork", "--mount-proc")
STUDIES, PROBLEMS, A_CHUNK = 160, 6, 2

# Head and node are network namespaces of their own, joined by one cable (`cable.py`). The head is told to give a silent
# node up after 3 s instead of a minute.
_STORY = """
set -u
export PATH={bin}:$PATH
ip link set lo up
unshare --net sleep infinity & node=$!
sleep 0.2
python {root}/tests/faults/cable.py $node cut & sleep 1
on_node() {{ nsenter --net=/proc/$node/ns/net "$@"; }}
on_node ip link set lo up
ip addr add 10.77.0.1/24 dev cable && ip link set cable up
on_node ip addr add 10.77.0.2/24 dev cable && on_node ip link set cable up
export HOME={home} RAY_USAGE_STATS_ENABLED=0 RAY_AUTH_MODE=token MEDRAY_TEST_KEY={key} PYTHONPATH={root}
export RAY_health_check_initial_delay_ms=1000 RAY_health_check_period_ms=1000 RAY_health_check_timeout_ms=1000
export RAY_health_check_failure_threshold=2 RAY_worker_niceness=0
ray get-auth-token --generate > /dev/null 2>&1
ray start --head --node-ip-address=10.77.0.1 --port=6379 --num-cpus=1 --include-dashboard=false \\
  --temp-dir={temp} > head.log 2>&1 || exit 99
join() {{ on_node ray start --address=10.77.0.1:6379 --node-ip-address=10.77.0.2 --num-cpus=1 >> node.log 2>&1; }}
join || exit 98
chunks() {{ ls lake/tables/images/data/*/0*.parquet 2> /dev/null | wc -l; }}
RAY_ADDRESS=10.77.0.1:6379 python {root}/jobs/ingest_dicom.py ingest.toml --run-date 2026-01-01 > job.log 2>&1 & job=$!
for _ in $(seq 600); do [ $(chunks) -ge 8 ] && break; kill -0 $job 2> /dev/null || break; sleep 0.05; done
echo "cut $(chunks)"
touch cut
given_up() {{ grep -qh 'health check failed' {temp}/session_latest/logs/gcs_server*; }}
for _ in $(seq 60); do given_up && echo "dead 1" && break; sleep 0.5; done
sleep 3
echo "back $(chunks)"
rm cut
sleep 3
join; echo "joined $?"
wait $job; echo "job $?"
"""


def _namespaces() -> bool:
    probe = [*UNSHARE, "ip", "tuntap", "add", "dev", "probe", "mode", "tap"]
    return shutil.which("ip") is not None and subprocess.run(probe, capture_output=True, check=False).returncode == 0


@pytest.mark.cluster
@pytest.mark.timeout(280)
def test_a_node_that_is_cut_off_and_comes_back(tmp_path: Path) -> None:
    if not _namespaces():
        pytest.skip("needs root and the kernel's network namespaces and tap devices (ip, unshare)")
    write_archive(tmp_path, synthetic(STUDIES, seed=1, size=32), label="opacity", first_day=date(2024, 1, 1))
    (tmp_path / "ingest.toml").write_text(
        f'job = "ingest_dicom"\nname = "cut"\nlake = "{tmp_path}/lake"\n'
        f'[source]\nkind = "dicom"\nuri = "{tmp_path}/archive"\nsubject = "PatientID"\n'
        f'[deidentify]\nprofile = "basic"\nkey = "env:MEDRAY_TEST_KEY"\n[chunks]\nobjects = {A_CHUNK}\n'
    )
    home = tmp_path / "home"
    home.mkdir()
    temp = Path("/tmp") / f"mrn{os.getpid()}"  # sockets need short paths
    script = _STORY.format(home=home, key="k" * 64, bin=BIN, temp=temp, root=ROOT)
    try:
        told = subprocess.run(
            [*UNSHARE, "bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=250, check=False
        )
    finally:
        shutil.rmtree(temp, ignore_errors=True)
    log = (tmp_path / "job.log").read_text() if (tmp_path / "job.log").exists() else ""
    said = dict(line.split() for line in told.stdout.splitlines() if len(line.split()) == 2)
    assert said.get("job") == "0", (told.stdout, told.stderr[-2000:], log[-3000:])
    assert said["dead"] == "1", "the head never gave the node up"
    assert said["joined"] == "0"
    assert int(said["back"]) < (STUDIES + PROBLEMS) // A_CHUNK, "the run had ended before the node came back"
    assert 8 <= int(said["cut"]) < (STUDIES + PROBLEMS) // A_CHUNK, "the run had ended before the cut"
    state = snapshot(LAKE, f"{tmp_path}/lake")
    images = Counter(state.table(IMAGES, ("SOPInstanceUID",))["SOPInstanceUID"].to_pylist())
    assert (len(images), max(images.values())) == (STUDIES, 1)
    keys = [key for one in (IMAGES, QUARANTINE) for key in state.table(one, ("source_key",))["source_key"].to_pylist()]
    assert (len(keys), len(set(keys))) == (STUDIES + PROBLEMS, STUDIES + PROBLEMS)
    assert state.runs.num_rows == 1
    assert not list(Path(state.lake, "tables").rglob(".tmp-*"))
