"""medray's `ingest_ehr` beside a plain polars script and MEDS-Extract, on the same files, in one run.

    python tests/bench/ingest_ehr.py --rows 2e6 10e6 40e6 --peers medray polars meds-extract \
        --peer-python VENV/bin/python --work FOLDER

Prints medians and ratios, and writes every measurement to FOLDER/results.json. Archives and outputs
are removed as soon as they are measured.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from chartevents import write_archive
from peers import PEERS
from process_tree import measured

Found = dict[str, Any]


def main() -> None:
    asked = _asked()
    asked.work.mkdir(parents=True, exist_ok=True)
    found: list[Found] = []
    for rows in map(int, asked.rows):
        archive = asked.work / f"archive-{rows}-{asked.files}"
        if not archive.exists():  # kept by an earlier call
            write_archive(archive, rows, asked.files)
        for number in range(asked.rounds):
            for peer in asked.peers if number % 2 == 0 else asked.peers[::-1]:  # none always follows the same other
                found.append(_run(peer, archive, rows, number, asked))
                print(_line(found[-1]), flush=True)
                (asked.work / "results.json").write_text(json.dumps(_report(found, asked), indent=1))
        if not asked.keep:
            shutil.rmtree(archive)
    print("\n".join(_table(found)))


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=float, nargs="+", required=True, help="of chartevents")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--peers", nargs="+", choices=list(PEERS), default=["medray", "polars", "meds-extract"])
    parser.add_argument("--files", type=int, default=1, help="chartevents as so many files; the real one is one")
    parser.add_argument("--work", type=Path, required=True, help="a folder for archives, outputs and results")
    parser.add_argument("--peer-python", default=sys.executable, help="an environment with polars and MEDS-extract")
    parser.add_argument("--keep", action="store_true", help="leave the archives where they are")
    return parser.parse_args()


def _run(peer: str, archive: Path, rows: int, number: int, asked: argparse.Namespace) -> Found:
    """One run of one peer: its cost, and how many events it left in how many bytes."""
    work = asked.work / f"run-{peer}"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    start = PEERS[peer](archive, work, asked.peer_python)
    cost = measured(start.command, {**os.environ, **start.environment}, asked.work / f"{peer}-{rows}-{number}.log")
    files = [path for path in work.glob(start.output) if path.is_file()]
    left = {"events": sum(pq.read_metadata(path).num_rows for path in files)} if cost.status == 0 else {"events": 0}
    left["output_bytes"] = sum(path.stat().st_size for path in files)
    shutil.rmtree(work)
    return {"peer": peer, "rows": rows, "round": number, **asdict(cost), **left}


def _line(one: Found) -> str:
    speed = one["rows"] / one["wall_s"]
    ended = "" if one["status"] == 0 else f"  ENDED WITH {one['status']}"
    return (
        f"{one['rows'] / 1e6:5.0f} M  {one['peer']:13} {one['wall_s']:8.1f} s  {one['cpu_s']:8.1f} CPU s  "
        f"{one['peak_bytes'] / 1e9:6.2f} GB  {speed / 1e3:7.0f} k rows/s  {one['output_bytes'] / 1e6:7.0f} MB  "
        f"{one['events']:>10,} events{ended}"
    )


def _table(found: Sequence[Found]) -> list[str]:
    """Medians, and the wall seconds of each peer over those of the first one."""
    lines = ["", "medians", ""]
    for rows in sorted({one["rows"] for one in found}):
        runs = [one for one in found if one["rows"] == rows]
        first = _median([one for one in runs if one["peer"] == runs[0]["peer"]])
        for peer in dict.fromkeys(one["peer"] for one in runs):
            middle = _median([one for one in runs if one["peer"] == peer])
            lines.append(f"{_line(middle)}  {middle['wall_s'] / first['wall_s']:5.2f} x {first['peer']}")
    return lines


def _median(runs: Sequence[Found]) -> Found:
    figures = {name: statistics.median(one[name] for one in runs) for name in ("wall_s", "cpu_s", "peak_bytes")}
    return {**runs[0], **figures, "status": max(abs(one["status"]) for one in runs)}


def _report(found: Sequence[Found], asked: argparse.Namespace) -> Found:
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cpus": os.cpu_count(),
        "files": asked.files,
        "runs": list(found),
    }


if __name__ == "__main__":
    main()
