"""What `medray submit` makes of a dashboard's answers: failed and running copies, refusals, a lost cluster."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from medray import config
from medray.engine import submit as submit_module
from medray.engine.submit import submission_id, submit
from medray.errors import SubmitError

RECIPE = config.load(str(Path(__file__).resolve().parents[2] / "jobs" / "recipes" / "chest" / "nightly.toml"))
DATE = "2026-01-31"
NAME = submission_id(RECIPE, DATE)


@dataclass
class Dashboard:
    """A Jobs API on loopback: the submissions it knows, how it refuses, and what it was asked to do."""

    jobs: dict[str, tuple[str, int | None]] = field(default_factory=dict)
    ends: list[tuple[str, int | None]] = field(default_factory=list)  # what each look at a running job finds
    refuses: Callable[[str], int] = lambda path: 0
    sent: list[dict[str, Any]] = field(default_factory=list)
    address: str = ""

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        if code := self.refuses(path):
            return code, "<html>the proxy says no</html>"
        if path == "/api/version":
            return 200, {"version": "4", "ray_version": "2.60.0", "ray_commit": "x", "session_name": "s"}
        if path.startswith("/api/packages/"):
            return 200, {}
        if path == "/api/jobs/" and method == "POST":
            self.sent.append(json.loads(body))
            self.jobs[self.sent[-1]["submission_id"]] = ("RUNNING", None)
            return 200, {"job_id": "x", "submission_id": self.sent[-1]["submission_id"]}
        if path == "/api/jobs/":
            return 200, [_details(name, *state) for name, state in self.jobs.items()]
        return (502, "cut off") if path.endswith("/logs/tail") else self.look(path.split("/")[3])

    def look(self, name: str) -> tuple[int, Any]:
        state = self.ends.pop(0) if self.ends else self.jobs[name]
        return (503, "starting") if state[0] == "LOST" else (200, _details(name, *state))


def _details(name: str, status: str, code: int | None) -> dict[str, Any]:
    return {
        "type": "SUBMISSION", "submission_id": name, "job_id": None, "driver_info": None, "status": status,
        "entrypoint": "", "message": "", "driver_exit_code": code,
    }  # fmt: skip


@pytest.fixture
def dashboard(monkeypatch: pytest.MonkeyPatch) -> Iterator[Dashboard]:
    monkeypatch.setattr(submit_module, "_POLL_S", 0.01)
    found = Dashboard()

    class Handler(BaseHTTPRequestHandler):
        def _do(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            code, told = found.answer(self.command, self.path, body)
            data = told.encode() if isinstance(told, str) else json.dumps(told).encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PUT = do_DELETE = _do  # noqa: N815

        def log_message(self, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield found
        server.shutdown()
        thread.join()


def _submit(dashboard: Dashboard, **options: Any) -> tuple[int, str]:
    told: list[str] = []
    code = submit(RECIPE, DATE, dashboard.address, told.append, **options)
    return code, "\n".join(told)


@pytest.mark.parametrize(("end", "code"), [(("FAILED", 3), 3), (("SUCCEEDED", 0), 0)])
def test_the_lake_is_asked_again_about_a_held_night(
    dashboard: Dashboard, end: tuple[str, int | None], code: int
) -> None:
    """It ends with 3 while nobody has decided, and with 0 after a release."""
    dashboard.jobs, dashboard.ends = {NAME: ("FAILED", 1), f"{NAME}-try2": ("FAILED", 3)}, [end]
    assert _submit(dashboard)[0] == code
    assert [one["submission_id"] for one in dashboard.sent] == [f"{NAME}-try3"]


@pytest.mark.parametrize("state", [("FAILED", 1), ("FAILED", None), ("FAILED", 124), ("STOPPED", None)])
def test_a_failed_night_is_tried_again_under_the_next_name(dashboard: Dashboard, state: tuple[str, int | None]) -> None:
    dashboard.jobs, dashboard.ends = {NAME: state}, [("SUCCEEDED", 0)]
    code, told = _submit(dashboard, deadline_s=72000)
    assert (code, f"submitted as {NAME}-try2" in told) == (0, True)
    (sent,) = dashboard.sent
    assert sent["entrypoint"] == (
        f"timeout --kill-after=60 72000 python -m medray.entry nightly recipe.json --run-date {DATE}"
    )
    assert sent["runtime_env"]["env_vars"] == {"PYTHONUNBUFFERED": "1"}


def test_a_run_has_the_drivers_own_exit_code_however_the_logs_end(dashboard: Dashboard) -> None:
    for code in (3, 124, 1):
        dashboard.jobs, dashboard.ends = {}, [("RUNNING", None), ("RUNNING", None), ("FAILED", code)]
        found, told = _submit(dashboard)
        assert found == code
        assert "logs are cut off" in told


def test_a_schedule_follows_its_run_that_is_under_way_and_a_person_is_told(dashboard: Dashboard) -> None:
    dashboard.jobs, dashboard.ends = {NAME: ("RUNNING", None)}, [("RUNNING", None), ("FAILED", 3)]
    assert _submit(dashboard, join=True)[0] == 3
    with pytest.raises(SubmitError, match="under way"):
        _submit(dashboard)
    assert dashboard.sent == []


def test_a_dashboard_that_is_started_anew_is_waited_for(dashboard: Dashboard) -> None:
    dashboard.ends = [("LOST", None), ("LOST", None), ("SUCCEEDED", 0)]
    assert _submit(dashboard)[0] == 0


def test_a_lost_cluster_is_told(dashboard: Dashboard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(submit_module, "_LOST_S", 0.05)
    dashboard.ends = [("LOST", None)] * 1000
    with pytest.raises(SubmitError, match="lost while") as lost:
        _submit(dashboard)
    assert lost.value.exit_code == 1


@pytest.mark.parametrize("code", [401, 403])
@pytest.mark.parametrize("door", ["/api/", "/api/jobs", "/api/packages", f"/api/jobs/{NAME}"])
def test_a_refusal_anywhere_is_told_in_one_way(dashboard: Dashboard, code: int, door: str) -> None:
    dashboard.refuses = lambda path: code if path.startswith(door) else 0
    with pytest.raises(SubmitError, match="refuses the token") as refused:
        _submit(dashboard)
    assert "RAY_AUTH_TOKEN_PATH" in refused.value.do
    assert "html" not in str(refused.value)


def test_no_cluster_at_all_is_told() -> None:
    with pytest.raises(SubmitError, match="no cluster that answers"):
        submit(RECIPE, DATE, "http://127.0.0.1:9", print)
