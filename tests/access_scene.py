"""A head started by our `ray up` config, in namespaces of its own: strangers at its doors, then a job with secrets.

Run as a script: `python access_scene.py FOLDER TEMP` prints what it saw as JSON. FOLDER holds the job's recipe,
TEMP is an empty folder with a short name for the head.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import yaml

CLUSTER = Path(__file__).resolve().parents[1] / "cluster"
DASHBOARD, AGENT, METRICS = 8265, 52365, 8080
SECRETS = {
    "AWS_SECRET_ACCESS_KEY": "canary-of-the-bucket-key-0123456789",
    "MEDRAY_LINKAGE_AWS_SECRET_ACCESS_KEY": "canary-of-the-linkage-key-0123456789",
    "MEDRAY_TEST_KEY": "canary-of-the-deidentification-key-0123456789-0123456789",
}
TOKEN = "canary0of0the0token0" + "7" * 44
JOB = "standing"  # a job that strangers try to read, stop and delete
PACKAGE = "/api/packages/gcs/_ray_pkg_0123456789abcdef.zip"
JOBS = [
    ("GET", "/api/version"),
    ("GET", "/api/jobs/"),
    ("POST", "/api/jobs/"),
    ("GET", f"/api/jobs/{JOB}"),
    ("GET", f"/api/jobs/{JOB}/logs"),
    ("GET", f"/api/jobs/{JOB}/logs/tail"),
    ("POST", f"/api/jobs/{JOB}/stop"),
    ("DELETE", f"/api/jobs/{JOB}"),
    ("GET", PACKAGE),
    ("PUT", PACKAGE),
]
LOOKS = [
    "/nodes?view=summary", "/nodes/0", "/cluster_id", "/events", "/logical/actors", "/timezone", "/test/dump",
    "/worker/traceback?pid=1", "/worker/cpu_profile?pid=1", "/task/traceback", "/memory_profile?pid=1",
    "/api/cluster_status", "/api/component_activities", "/api/prometheus/sd", "/api/serve/applications/",
    "/api/train/v2/runs/v1", "/api/data/datasets/0", "/api/v0/nodes", "/api/v0/jobs", "/api/v0/tasks", "/api/v0/actors",
    "/api/v0/workers", "/api/v0/objects", "/api/v0/placement_groups", "/api/v0/runtime_envs", "/api/v0/cluster_events",
    "/api/v0/cluster_metadata", "/api/v0/tasks/timeline", "/api/v0/logs", "/api/v0/logs/file?filename=raylet.out",
]  # fmt: skip
WRITES = [
    ("POST", "/api/authenticate"), ("PUT", "/api/serve/applications/"), ("DELETE", "/api/serve/applications/"),
    ("POST", "/report_events"), ("POST", "/api/task_events"),
]  # fmt: skip
AGENT_DOORS = [
    ("POST", "/api/job_agent/jobs/"),
    ("POST", f"/api/job_agent/jobs/{JOB}/stop"),
    ("DELETE", f"/api/job_agent/jobs/{JOB}"),
    ("GET", f"/api/job_agent/jobs/{JOB}/logs"),
]
OWNERS_LOOKS = ("/nodes?view=summary", "/api/v0/nodes", "/api/v0/tasks/timeline", "/api/cluster_status", "/events")
OPEN = {
    "/": DASHBOARD, "/api/authentication_mode": DASHBOARD, "/api/gcs_healthz": DASHBOARD,
    "/api/local_raylet_healthz": AGENT, "/metrics": METRICS,
}  # fmt: skip
STRANGERS: dict[str, dict[str, str]] = {
    "no token": {},
    "wrong token": {"Authorization": "Bearer " + "0" * 64},
    "no scheme": {"Authorization": TOKEN[:-1]},
    "wrong header": {"X-Ray-Authorization": "Bearer " + "0" * 64},
    "wrong cookie": {"Cookie": "ray-authentication-token=" + "0" * 64},
}
OWNER = {"Authorization": f"Bearer {TOKEN}"}
_SOCKET = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "bWVkcmF5LW1lZHJheS1tZQ==",
}


def call(method: str, path: str, headers: dict[str, str], body: str = "", port: int = DASHBOARD) -> tuple[int, str]:
    """Status and text of one request."""
    link = HTTPConnection("127.0.0.1", port, timeout=20)
    upgrade = _SOCKET if path.endswith("/tail") else {}
    try:
        link.request(method, path, body.encode(), {**headers, **upgrade})
        answer = link.getresponse()
        return answer.status, "" if answer.status == 101 else answer.read().decode(errors="replace")
    finally:
        link.close()


def head_command(folder: Path) -> list[str]:
    """As our `ray up` config starts a head, with a folder of its own and CPUs for the one node there is."""
    config = yaml.safe_load((CLUSTER / "vm" / "cluster.yaml").read_text())
    words = shlex.split(config["head_start_ray_commands"][-1])
    kept = [word for word in words if not re.match("--(autoscaling-config|num-cpus)", word)]
    return [*kept, "--num-cpus=2", f"--temp-dir={folder}", f"--metrics-export-port={METRICS}"]


def environment(folder: Path) -> dict[str, str]:
    """The image's, as a Dockerfile line and the config's `run_options` give it, with secrets beside."""
    (mode,) = re.findall(r"^ENV (RAY_AUTH_MODE)=(\w+)$", (CLUSTER / "Dockerfile").read_text(), re.MULTILINE)
    token = folder / "ray-token"
    token.write_text(TOKEN)
    token.chmod(0o400)
    path = {
        "PYTHONPATH": str(CLUSTER.parent),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(folder),
    }
    return {**os.environ, **path, **SECRETS, mode[0]: mode[1], "RAY_AUTH_TOKEN_PATH": str(token),
            "RAY_USAGE_STATS_ENABLED": "0"}  # fmt: skip


@contextmanager
def watched() -> Iterator[set[str]]:
    """Every command line that a process has while the block runs."""
    seen: set[str] = set()
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.02):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    seen.add(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
                except OSError:  # it has ended
                    continue

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def leaks(texts: dict[str, bytes]) -> list[str]:
    """Where a secret stands, by name."""
    secrets = {**SECRETS, "token": TOKEN}
    return sorted(
        f"{name} in {place}"
        for place, data in texts.items()
        for name, value in secrets.items()
        if value.encode() in data
    )


def files(folder: Path) -> dict[str, bytes]:
    """Every file below a folder; of Parquet the rows too, as they are compressed."""
    found: dict[str, bytes] = {}
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            found[str(path)] = path.read_bytes()
            if path.suffix == ".parquet":
                table = pq.ParquetFile(path)
                found[f"{path} (rows)"] = repr((table.read().to_pylist(), table.schema_arrow.metadata)).encode()
    return found


def state() -> dict[str, Any]:
    """What strangers may not change, as the owner sees it."""
    jobs = {one["submission_id"]: one["status"] for one in json.loads(call("GET", "/api/jobs/", OWNER)[1])}
    return {"jobs": jobs, "package": call("GET", PACKAGE, OWNER)[0]}


def strangers(folder: Path) -> dict[str, Any]:
    """What each stranger got at each door, and what changed."""
    body = json.dumps({"entrypoint": f"touch {folder}/stranger-was-here", "submission_id": "stranger"})
    doors = [(*door, DASHBOARD) for door in JOBS] + [(*door, AGENT) for door in AGENT_DOORS]
    others = [(*door, DASHBOARD) for door in WRITES] + [("GET", path, DASHBOARD) for path in LOOKS]
    before = state()
    got = {
        f"{who}: {method} {path}": call(method, path, headers, body if method in ("POST", "PUT") else "", port)[0]
        for who, headers in STRANGERS.items()
        for method, path, port in (doors + others if who in ("no token", "wrong token") else doors)
    }
    return {
        "doors": len(doors + others),
        "let_in": {door: status for door, status in got.items() if status not in (401, 403)},
        "before": before,
        "after": state(),
        "was_here": (folder / "stranger-was-here").exists(),
        "open": {path: call("GET", path, {}, port=port)[0] for path, port in OPEN.items()},
    }


def owner(folder: Path) -> dict[str, Any]:
    """The same doors with the token."""
    body = json.dumps({"entrypoint": f"touch {folder}/owner-was-here"})
    sent = call("POST", "/api/jobs/", OWNER, body)
    for _ in range(100):
        if (folder / "owner-was-here").exists():
            break
        time.sleep(0.1)
    found = {f"{method} {path}": call(method, path, OWNER)[0] for method, path in JOBS if method == "GET"}
    found |= {path: call("GET", path, OWNER)[0] for path in OWNERS_LOOKS}
    stopped = call("POST", f"/api/jobs/{JOB}/stop", OWNER)[0]
    return {"submit": sent[0], "was_here": (folder / "owner-was-here").exists(), "got": found, "stop": stopped}


def main(folder: Path, temp: Path) -> None:
    env = environment(folder)
    with watched() as commands:
        subprocess.run(head_command(temp), env=env, check=True, capture_output=True, timeout=90)
        for _ in range(200):
            try:
                if call("GET", "/api/version", OWNER)[0] == 200:
                    break
            except OSError:
                pass
            time.sleep(0.1)
        for _ in range(100):  # the agent that runs jobs is up some time after the dashboard
            if (
                call("POST", "/api/jobs/", OWNER, json.dumps({"entrypoint": "sleep 300", "submission_id": JOB}))[0]
                == 200
            ):
                break
            time.sleep(0.3)
        for _ in range(100):
            if state()["jobs"] == {JOB: "RUNNING"}:
                break
            time.sleep(0.1)
        told = {"strangers": strangers(folder), "owner": owner(folder)}
        submit = ["medray", "submit", str(folder / "ingest.toml"), "--run-date", "2026-01-01"]
        address = ["--address", f"http://127.0.0.1:{DASHBOARD}", "--deadline-s", "100"]
        done = subprocess.run([*submit, *address], env=env, capture_output=True, timeout=120, check=False)
        metadata = call("GET", "/api/jobs/", OWNER)[1] + call("GET", "/api/v0/runtime_envs", OWNER)[1]
    print({p: call("GET", p, OWNER)[0] for p in LOOKS}, file=sys.stderr)
    texts = {"process list": "\n".join(commands).encode(), "job metadata": metadata.encode(), "output": done.stdout}
    logs = files(temp)
    told["job"] = {
        "code": done.returncode,
        "output": (done.stdout + done.stderr).decode()[-2000:],
        "leaks": leaks({**texts, **logs, **files(folder / "lake")}),
        "files": {"logs": len([path for path in logs if "/logs/" in path]), "lake": len(files(folder / "lake"))},
        "watched": any("medray.entry" in one for one in commands),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
