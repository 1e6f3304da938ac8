"""A job's metrics as a Prometheus server would scrape them from a node, and no identity in them."""

from __future__ import annotations

import json
import re
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import ray
from scene import Scene

from medray import config
from medray.engine.metrics import chunk_done, counted
from medray.entry import run
from medray.narration import JsonNarrator

pytestmark = pytest.mark.ray
_WAIT_S = 40


def _scraped() -> str:
    port = ray.nodes()[0]["MetricsExportPort"]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text: str = answer.read().decode()
    return text


def _samples(text: str, recipe: str) -> dict[str, float]:
    """Values of one recipe's metrics by name and own labels."""
    found = {}
    for name, labels, value in re.findall(r"^ray_(medray_\w+)\{(.*)\} (\S+)$", text, re.MULTILINE):
        given = dict(re.findall(r'(\w+)="([^"]*)"', labels))
        if given.get("recipe") == recipe:
            own = [given[key] for key in ("job", "outcome", "verdict", "le") if key in given]
            found["/".join([name, *own])] = float(value)
    return found


def _waited(recipe: str, enough: Callable[[dict[str, float]], bool]) -> tuple[dict[str, float], str]:
    until = time.monotonic() + _WAIT_S
    while True:
        text = _scraped()
        samples = _samples(text, recipe)
        if enough(samples) or time.monotonic() > until:
            return samples, text
        time.sleep(0.5)


@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")  # of the archive's problem files
def test_a_scrape_shows_what_a_job_did(
    ray_session: dict[str, float], new_scene: Callable[..., Scene], capsys: pytest.CaptureFixture[str]
) -> None:
    """8 images and the demo's 6 problem files in two chunks; the night's words are told without a model."""
    scene = new_scene()
    recipe = config.parse(scene.recipe("ingest_dicom", name="scraped"), "test")
    run(recipe, "2026-01-02", JsonNarrator())
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    (done,) = (line for line in lines if line["event"] == "done")
    listed = next(one for one in done["sums"] if "listed" in one)
    with counted("nightly", "scraped", "2026-01-02") as count:
        count("done", [("requested", {"scored": 3, "abstained": 1, "known": 9})])
    with pytest.raises(ValueError, match="lost"), counted("nightly", "scraped", "2026-01-03"):
        raise ValueError("lost")
    samples, text = _waited("scraped", lambda found: "medray_nights_total/nightly/failed" in found)
    assert {name: samples[f"medray_inputs_total/ingest_dicom/{name}"] for name in listed if 0 < listed[name] < 14} == {
        "ingested": 8, "duplicate": 1, "quarantined": 5,
    }  # fmt: skip
    assert samples["medray_inputs_total/nightly/scored"] == 3
    assert samples["medray_inputs_total/nightly/abstained"] == 1
    assert samples["medray_chunks_total/ingest_dicom/done"] == samples["medray_chunk_seconds_count/ingest_dicom"] == 2
    assert samples["medray_read_bytes_total/ingest_dicom"] > 1000
    assert samples["medray_nights_total/nightly/published"] == samples["medray_nights_total/nightly/failed"] == 1
    assert samples["medray_last_published_night_timestamp_seconds/nightly"] == 1767312000  # 2026-01-02 00:00 UTC
    ours = "\n".join(line for line in text.splitlines() if "medray_" in line)
    leaked = [word for word in _identities(scene) if word in ours + json.dumps(lines)]
    assert not leaked
    labels = set(re.findall(r'(\w+)="', ours)) - _RAYS
    assert labels == {"job", "recipe", "outcome", "verdict", "le"}


_RAYS = {
    "Component", "NodeAddress", "SessionName", "Version", "WorkerId", "otel_scope_name", "otel_scope_schema_url",
    "otel_scope_version",
}  # fmt: skip


def _identities(scene: Scene) -> Iterator[str]:
    """Names and identifiers in the archive: of its files, and of every patient in them."""
    import pydicom

    for path in scene.archive.rglob("*.dcm"):
        yield path.name
        header: Any = pydicom.dcmread(path, stop_before_pixels=True, force=True)
        yield from (
            str(header[name].value) for name in ("PatientID", "PatientName", "SOPInstanceUID") if name in header
        )


def test_counting_costs_next_to_nothing(ray_session: dict[str, float]) -> None:
    """A quiet night counts some twenty times: a thousand counts in a tenth of a second are nothing to it."""
    with counted("nightly", "cost", "2026-01-02") as count:
        started = time.process_time()
        for _ in range(1000):
            count("held", [("requested", {"scored": 1})])
        assert time.process_time() - started < 1.0


def test_outside_a_job_nothing_is_counted(ray_session: dict[str, float]) -> None:
    """A driver that another program calls is not measured."""
    chunk_done(1.0, 10)
    with counted("predict", "inside", "2026-01-02"):
        chunk_done(1.0, 10)
    name = "medray_chunks_total/predict/done"
    samples, _ = _waited("inside", lambda found: name in found)  # each metric arrives by itself
    assert samples[name] == 1
