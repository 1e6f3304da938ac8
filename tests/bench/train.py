"""Examples a second of medray's training beside the ceiling, a DataLoader and Lightning, in turns.

    python -m venv VENV && VENV/bin/pip install -e . lightning psutil
    VENV/bin/python tests/bench/train.py --families image record --workers 1 2 --rounds 3 --work FOLDER

Every way trains the same network on the same Parquet file (`train_peer.py`). Prints, as medians of the rounds: the rate
of the first epoch and of the later ones beside those of the ceiling in the same round, and wall seconds, CPU seconds
and memory from start to end. `--memory` trains medray on once and four times as many examples.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
from pathlib import Path
from typing import Any

from process_tree import Cost, measured

PEER = Path(__file__).with_name("train_peer.py")
PEERS = ("ceiling", "loader", "rows", "lightning", "medray")


def run(peer: str, family: str, workers: int, epochs: int, data: Path) -> tuple[dict[str, Any], Cost]:
    """What a way tells of itself, and what it costs."""
    command = [
        sys.executable, str(PEER), peer, "--family", family, "--workers", str(workers), "--epochs", str(epochs),
        "--data", str(data),
    ]  # fmt: skip
    log = data / "log"
    cost = measured(command, {**os.environ, "OMP_NUM_THREADS": str(max((os.cpu_count() or 1) // workers, 1))}, log)
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.startswith('{"epochs"')]
    if cost.status or not lines:
        raise SystemExit(f"{peer} failed: {log.read_text(errors='replace')[-2000:]}")
    return json.loads(lines[-1]), cost


def made(family: str, rows: int, work: Path) -> Path:
    data = work / f"{family}-{rows}"
    if not (data / f"{family}.parquet").exists():
        command = [sys.executable, str(PEER), "make", "--family", family, "--rows", str(rows), "--data", str(data)]
        measured(command, os.environ, work / "make.log")
    return data


def compare(family: str, workers: int, asked: argparse.Namespace) -> None:
    data = made(family, asked.rows, asked.work)
    found: dict[str, list[tuple[dict[str, Any], Cost]]] = {peer: [] for peer in asked.peers}
    for _ in range(asked.rounds):
        for peer in asked.peers:
            found[peer].append(run(peer, family, workers, asked.epochs, data))
    print(f"\n{family}, {workers} worker(s), {asked.rows:,} examples, {asked.epochs} epochs, {asked.rounds} rounds")
    print("| way | first epoch, of ceiling | later epochs, of ceiling | examples/s | wall s | CPU s | peak MB |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for peer, runs in found.items():
        pairs = [(told["epochs"], own["epochs"]) for (told, _), (own, _) in zip(found["ceiling"], runs, strict=True)]
        first = statistics.median(best[0] / own[0] for best, own in pairs)
        later = statistics.median(later_s(best) / later_s(own) for best, own in pairs)
        rate = statistics.median(asked.rows / later_s(own) for _, own in pairs)
        wall, cpu = (statistics.median(getattr(cost, name) for _, cost in runs) for name in ("wall_s", "cpu_s"))
        peak = statistics.median(cost.peak_bytes / 1e6 for _, cost in runs)
        print(f"| {peer} | {first:.2f} | {later:.2f} | {rate:,.0f} | {wall:.1f} | {cpu:.1f} | {peak:,.0f} |")
    for peer, runs in found.items():
        for told, _ in runs:
            print("  ", peer, {name: told[name] for name in ("wait", "gpu_busy", "loss") if told.get(name)})


def later_s(epochs: list[float]) -> float:
    """Seconds of an epoch after the first."""
    return statistics.mean(epochs[1:])


def memory(family: str, asked: argparse.Namespace) -> None:
    for rows in (asked.rows, 4 * asked.rows):
        told, cost = run("medray", family, 1, 2, made(family, rows, asked.work))
        print(f"{family}, {rows:,} examples: a worker holds {told['own_mb']:.0f} MB of its own; peak of all "
              f"processes {cost.peak_bytes / 1e6:,.0f} MB, mapped cache among it")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--families", nargs="+", default=["image", "record"])
    parser.add_argument("--workers", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--rows", type=int, default=4096)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", nargs="+", default=list(PEERS))
    parser.add_argument("--memory", action="store_true")
    parser.add_argument("--work", type=Path, required=True)
    asked = parser.parse_args()
    asked.work.mkdir(parents=True, exist_ok=True)
    for family in asked.families:
        if asked.memory:
            memory(family, asked)
            continue
        for workers in asked.workers:
            compare(family, workers, asked)


if __name__ == "__main__":
    main()
