"""Ingests of images and of records on an S3 server that fails: the right rows or a clear error, in bounded time;
then a clean run completes exactly.

    python tests/faults/store_faults.py --points 30 --seed 1
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

import seaweed  # noqa: E402
import story  # noqa: E402
from faults import readers, record_stage  # noqa: E402
from faults.driver_runs import PROBLEMS, SITES, look  # noqa: E402
from faults.store_proxy import KINDS, Faults, proxied  # noqa: E402
from without_ray import without_ray  # noqa: E402

from medray.drivers.images.ingest import ingest_archive  # noqa: E402
from medray.drivers.records.ingest import ingest_records  # noqa: E402
from medray.errors import MedrayError  # noqa: E402
from medray.schema.contract import TableContract  # noqa: E402
from medray.schema.images import IMAGES  # noqa: E402
from medray.schema.quarantine import QUARANTINE  # noqa: E402
from medray.schema.record_files import RECORD_FILES  # noqa: E402
from medray.storage.snapshot import snapshot  # noqa: E402
from medray.storage.store import LAKE, _arrow_s3  # noqa: E402

RATES = (0.01, 0.1, 0.3)
LIMIT_S = 120
ENDPOINT = "AWS_ENDPOINT_URL"


@dataclass
class Trial:
    """What one bad day left. Every list of faults must be empty."""

    kinds: tuple[str, ...]
    rate: float
    seconds: float
    ended: str
    done: dict[str, int]
    faults: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Archive:
    """What is ingested.

    Attributes:
        ingest: into a lake; returns how it ended.
        look: at a lake, whether the ingest is done: what is wrong.
        rows: of each table in the end.
    """

    ingest: Callable[[str], str]
    look: Callable[[str, bool], list[str]]
    rows: tuple[tuple[TableContract, int], ...]


def images(folder: Path, bucket: str) -> Archive:
    """A small archive of images in the bucket."""
    where = _upload(story.archive(folder / "site", SITES).root, f"{bucket}/images")

    def ingest(lake: str) -> str:
        return ingest_archive(story.recipe(story.ingest_recipe(lake, where, chunks={"objects": 5})), story.job()).status

    return Archive(ingest, look, ((IMAGES, SITES), (QUARANTINE, PROBLEMS)))


def records(folder: Path, bucket: str) -> Archive:
    """A small archive of records in the bucket."""
    scene, files = folder / "records", record_stage.FILES_BEFORE
    record_stage.write_archive(scene)
    where = _upload(scene / "archive", f"{bucket}/records")

    def ingest(lake: str) -> str:
        document = tomllib.loads(record_stage.recipe(lake, where, scene / "key"))
        return ingest_records(story.recipe(document), story.job()).status

    def look_at(lake: str, complete: bool) -> list[str]:
        state = snapshot(LAKE, lake)
        if complete or state.runs.num_rows:
            return record_stage.inexact(state, files)
        return record_stage.uncounted(state)

    return Archive(ingest, look_at, ((RECORD_FILES, files), (QUARANTINE, files * record_stage.BAD_ROWS + 1)))


def _upload(site: Path, where: str) -> str:
    for item in LAKE.walk(str(site)):
        LAKE.replace(f"{where}/{Path(item.uri).relative_to(site)}", Path(item.uri).read_bytes())
    return where


def run_trial(port: int, archive: Archive, lake: str, faults: Faults) -> Trial:
    """Ingest on a bad day, look, ingest on a good one, look."""
    with proxied(port, faults) as door, through(door):
        started = time.monotonic()
        ended = _ended(archive, lake)
        seconds = time.monotonic() - started
    trial = Trial(faults.kinds, faults.rate, round(seconds, 1), ended, dict(faults.done))
    if not ended.startswith(("done", "StorageError")):
        trial.faults.append(ended)
    if seconds > LIMIT_S:
        trial.faults.append(f"{seconds:.0f} s")
    with through(port):
        trial.faults += [f"on the bad day: {one}" for one in archive.look(lake, ended.startswith("done"))]
        again = _ended(archive, lake)
        again = _ended(archive, lake) if again.startswith("done") else again
        trial.faults += [] if again == "nothing" else [f"on the good day: {again}"]
        trial.faults += archive.look(lake, True)
        for contract, rows in archive.rows:
            trial.faults += readers.differences(lake, contract, rows)
    return trial


def _ended(archive: Archive, lake: str) -> str:
    try:
        with without_ray():
            return archive.ingest(lake)
    except MedrayError as error:
        return f"{type(error).__name__}: {error}"
    except Exception as error:
        return f"not told: {type(error).__name__} {error}"


@contextmanager
def through(port: int) -> Iterator[None]:
    """All clients use this port for the time of the block."""
    _arrow_s3.cache_clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(ENDPOINT, f"http://127.0.0.1:{port}")
        yield
    _arrow_s3.cache_clear()


def chosen(points: int, seed: int) -> list[Faults]:
    """Each kind alone at each rate and all together, in a seeded order, as often as it takes."""
    draw = random.Random(seed)
    days = [((kind,), rate) for kind in KINDS for rate in RATES] + [(KINDS, rate) for rate in RATES]
    picked = [day for _ in range(points // len(days) + 1) for day in draw.sample(days, len(days))][:points]
    return [Faults(kinds, rate, seed * 1000 + number) for number, (kinds, rate) in enumerate(picked)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--points", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    program, port = seaweed.weed(), seaweed.free_ports(1)[0]
    assert program, "no `weed` program: install the test extra"
    failed = 0
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        for name, value in {**seaweed.environment(port), story.KEY_VARIABLE: story.KEY}.items():
            patch.setenv(name, value)
        with seaweed.serving(program, Path(folder), port):
            seaweed.admin(port).mkdir("lake-faults")
            archives = [make(Path(folder), "s3://lake-faults") for make in (images, records)]
            for number, faults in enumerate(chosen(options.points, options.seed)):
                trial = run_trial(port, archives[number % 2], f"s3://lake-faults/lake-{number}", faults)
                failed += bool(trial.faults)
                print(trial, flush=True)
    print(f"{options.points} bad days, {failed} with faults")
    raise SystemExit(bool(failed))


if __name__ == "__main__":
    main()
