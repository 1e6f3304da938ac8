"""medray's `ingest_dicom` beside hand-written pools, Spark, Dask and Daft, on the same files, in one run.

    python tests/bench/ingest_dicom.py --files 100 200 400 800 --rounds 3 --peer-python VENV/bin/python --work FOLDER

Every output is checked, rows and the digests of all pixels, before its time counts. Prints medians, and
for each peer the fixed cost (intercept) apart from the cost of a file (slope over the sizes); writes every
measurement to FOLDER/results-dicom.json.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from dicom_archive import manifest, write_archive
from dicom_peers import CPUS, PEERS, expected
from process_tree import measured

Found = dict[str, Any]
FIGURES = ("wall_s", "cpu_s", "peak_bytes")


def main() -> None:
    asked = _asked()
    asked.work.mkdir(parents=True, exist_ok=True)
    largest = asked.work / f"dicom-{max(asked.files)}"
    write_archive(largest, max(asked.files))
    found: list[Found] = []
    for number in range(asked.rounds):
        for files in asked.files:
            archive = _first(largest, files, asked.work)
            for peer in asked.peers if number % 2 == 0 else asked.peers[::-1]:  # none always follows the same other
                found.append(_run(peer, archive, files, number, asked))
                print(_line(found[-1]), flush=True)
                (asked.work / "results-dicom.json").write_text(json.dumps(found, indent=1))
    print("\n".join(_table(found)))


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, nargs="+", default=[100, 200, 400, 800])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", nargs="+", choices=list(PEERS), default=list(PEERS))
    parser.add_argument("--work", type=Path, required=True, help="a folder for archives, outputs and results")
    parser.add_argument("--peer-python", default=sys.executable, help="an environment with the other engines")
    return parser.parse_args()


def _first(archive: Path, files: int, work: Path) -> Path:
    """The first files of the archive, by hard links."""
    entries = json.loads(manifest(archive).read_text())[:files]
    part = work / f"dicom-{files}"
    if part != archive and not part.exists():
        for entry in entries:
            (part / entry["path"]).parent.mkdir(parents=True, exist_ok=True)
            os.link(archive / entry["path"], part / entry["path"])
        manifest(part).write_text(json.dumps(entries))
    return part


def _run(peer: str, archive: Path, files: int, number: int, asked: argparse.Namespace) -> Found:
    """One run of one peer: its cost, and what it left."""
    work = asked.work / f"run-{peer}"
    shutil.rmtree(work, ignore_errors=True)
    start = PEERS[peer](archive, work, asked.peer_python, CPUS)
    cost = measured(start.command, {**os.environ, **start.environment}, asked.work / f"{peer}.log")
    left = [path for path in work.glob(start.output) if path.is_file()]
    size = sum(path.stat().st_size for path in work.rglob("*") if path.is_file())
    digests = Counter(digest for path in left for digest in start.digests(path)) if cost.status == 0 else Counter()
    if digests != expected(archive, peer):
        raise SystemExit(f"{peer} on {files} files: {digests.total()} right or wrong images; see {peer}.log")
    shutil.rmtree(work)
    return {"peer": peer, "files": files, "round": number, **asdict(cost), "output_bytes": size}


def _line(one: Found) -> str:
    return (
        f"{one['files']:5} files  {one['peer']:14} {one['wall_s']:7.1f} s  {one['cpu_s']:7.1f} CPU s  "
        f"{one['peak_bytes'] / 1e6:6.0f} MB  output {one['output_bytes'] / 1e6:6.0f} MB"
    )


def _table(found: Sequence[Found]) -> list[str]:
    lines = ["", "medians", ""]
    medians = {}
    for peer in dict.fromkeys(one["peer"] for one in found):
        for files in sorted({one["files"] for one in found}):
            runs = [one for one in found if (one["peer"], one["files"]) == (peer, files)]
            middle = {name: statistics.median(one[name] for one in runs) for name in FIGURES}
            medians[peer, files] = {**runs[0], **middle}
            lines.append(_line(medians[peer, files]))
    return [*lines, "", "fixed cost and cost of a file, by least squares", "", *_slopes(medians)]


def _slopes(medians: dict[tuple[str, int], Found]) -> list[str]:
    lines = []
    for peer in dict.fromkeys(peer for peer, _ in medians):
        sizes = [files for one, files in medians if one == peer]
        if len(sizes) > 1:
            slope, fixed = np.polyfit(sizes, [medians[peer, files]["cpu_s"] for files in sizes], 1)
            memory = medians[peer, sizes[-1]]["peak_bytes"] / medians[peer, sizes[0]]["peak_bytes"]
            lines.append(
                f"{peer:14} {fixed:6.1f} CPU s and {1000 * slope:7.2f} CPU ms a file; "
                f"memory from {sizes[0]} to {sizes[-1]} files x {memory:.2f}"
            )
    return lines


if __name__ == "__main__":
    main()
