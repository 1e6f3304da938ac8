"""What scoring an image costs: the job `predict` beside bare inference, a DataLoader script, Spark and Daft, in turns.

    python -m venv VENV && VENV/bin/pip install -e . pyspark daft psutil
    VENV/bin/python tests/bench/predict.py --images 128 512 --rounds 3 --work FOLDER

Images are drawn at 224 x 224, ingested, prepared and given to a ResNet-18 with 14 outputs that has hardly learnt: its
cost is that of any. The others read the prepared images from Parquet (`predict_peer.py`). From two numbers of images
follow a fixed cost and the cost of an image; medians of the rounds.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import statistics
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from process_tree import Cost, measured

ROOT = Path(__file__).resolve().parents[2]
PEER = Path(__file__).with_name("predict_peer.py")
SIDE, LABELLED, OUTPUTS = 224, 24, 14
KEY = {"MEDRAY_KEY": "k" * 64}
LABELS = [f"finding {number}" for number in range(OUTPUTS)]
AUGMENT = {
    "rotate_degrees": 0, "translate": 0, "scale": 0, "shear_degrees": 0, "flip_horizontal": False,
    "brightness": 0, "contrast": 0, "gamma": 0, "noise": 0, "erase": 0,
}  # fmt: skip
FAMILY = {
    "name": "image", "size": [SIDE, SIDE], "channels": 1, "window": "full", "modalities": ["CR", "DX"],
    "frames": "single", "min_side": 8, "architecture": "resnet18", "dropout": 0.0, "augment": AUGMENT,
}  # fmt: skip


def recipe(folder: Path, job: str) -> Path:
    sections: dict[str, dict[str, Any]] = {
        "ingest_dicom": {
            "source": {"kind": "dicom", "uri": str(folder / "archive"), "subject": "PatientID"},
            "deidentify": {"profile": "basic", "key": "env:MEDRAY_KEY"},
            "chunks": {"objects": 64},
            "labels": {
                "uri": str(folder / "labels.csv"), "key": "path", "key_column": "path",
                "columns": dict.fromkeys(LABELS, "boolean"),
            },
        },
        "prepare": {"family": FAMILY},
        "train": {
            "task": {"kind": "multilabel", "labels": LABELS, "class_weights": False, "threshold": "youden"},
            "family": FAMILY,
            "split": {"salt": "bench", "tuning": 0.4, "held_out": 0.1},
            "training": {"epochs": 1, "batch_size": 4, "learning_rate": 1e-4, "weight_decay": 0, "seed": 1},
            "model": {"name": "bench", "promote": True, "card": dict.fromkeys(
                ("intended_use", "exclusions", "limits", "licence"), "A benchmark on drawn images: for nothing else."
            )},
        },
        "predict": {"model": {"name": "bench"}},
    }  # fmt: skip
    path = folder / f"{job}.json"
    path.write_text(json.dumps({"job": job, "name": "bench", "lake": str(folder / "lake"), **sections[job]}))
    return path


def made(images: int, work: Path) -> Path:
    """A lake with a model and so many prepared images, and the same images as Parquet."""
    from medray.demo.archive import write_studies
    from medray.demo.cases import synthetic

    folder = work / str(images)
    if (folder / "data").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    cases = synthetic(images, seed=3, size=SIDE)
    paths = write_studies(folder / "archive", cases, first_day=date(2024, 1, 1))
    with (folder / "labels.csv").open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["path", *LABELS])
        for row, path in enumerate(paths[:LABELLED]):
            writer.writerow([path, *((row + place) % 2 for place in range(OUTPUTS))])
    for job in ("ingest_dicom", "prepare", "train"):
        command = [sys.executable, str(ROOT / "jobs" / f"{job}.py"), str(recipe(folder, job))]
        subprocess.run(command, env={**os.environ, **KEY}, check=True)
    (folder / "part").mkdir()
    for shard in sorted((folder / "lake" / "cache").rglob("*.arrow")):
        batch = pa.ipc.open_file(str(shard)).read_all()
        ids = batch["uid"]
        width = SIDE * SIDE
        values = pa.Array.from_buffers(pa.binary(width), len(ids), batch["values"].chunk(0).buffers())
        pq.write_table(pa.table({"id": ids, "values": values}), folder / "part" / f"{shard.stem}.parquet")
    (folder / "part").rename(folder / "data")
    shutil.copytree(folder / "lake", folder / "as-new")
    return folder


def run(peer: str, folder: Path, batch: int) -> Cost:
    """One scoring of all images, from nothing to its end."""
    log, out = folder / "log", folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    if peer == "medray":
        shutil.rmtree(folder / "lake")
        shutil.copytree(folder / "as-new", folder / "lake")
        command = [sys.executable, str(ROOT / "jobs" / "predict.py"), str(recipe(folder, "predict"))]
    else:
        command = [
            sys.executable, str(PEER), peer, "--data", str(folder), "--lake", str(folder / "lake"), "--out", str(out),
            "--batch", str(batch),
        ]  # fmt: skip
    cost = measured(command, {**os.environ, **KEY}, log)
    told = log.read_text(errors="replace")
    images = int(folder.name)
    if cost.status or (peer not in ("medray", "ceiling") and f'"answers": {images}' not in told):
        raise SystemExit(f"{peer} failed: {told[-2000:]}")
    return cost


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, nargs=2, default=[128, 512])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch", type=int, default=16, help="of the others; medray has its own")
    parser.add_argument("--peers", nargs="+", default=["ceiling", "loader", "spark", "daft", "medray"])
    parser.add_argument("--work", type=Path, required=True)
    asked = parser.parse_args()
    folders = [made(images, asked.work) for images in asked.images]
    found: dict[str, list[list[Cost]]] = {peer: [[], []] for peer in asked.peers}
    for _ in range(asked.rounds):
        for place, folder in enumerate(folders):
            for peer in asked.peers:
                found[peer][place].append(run(peer, folder, asked.batch))
    few, many = asked.images
    print(f"{few} and {many} images of {SIDE} x {SIDE}, {asked.rounds} rounds")
    print("| way | CPU ms an image | of ceiling | fixed CPU s | wall s | peak MB |")
    print("| --- | --- | --- | --- | --- | --- |")
    slopes = {peer: _slope(runs, few, many) for peer, runs in found.items()}
    for peer, runs in found.items():
        each = slopes[peer]
        fixed = statistics.median(cost.cpu_s for cost in runs[0]) - few * each
        wall = statistics.median(cost.wall_s for cost in runs[1])
        peak = statistics.median(cost.peak_bytes / 1e6 for cost in runs[1])
        share = each / slopes["ceiling"] if "ceiling" in slopes else float("nan")
        print(f"| {peer} | {1000 * each:.1f} | {share:.2f} | {fixed:.1f} | {wall:.1f} | {peak:,.0f} |")


def _slope(runs: list[list[Cost]], few: int, many: int) -> float:
    """CPU seconds of one image more."""
    less, more = (statistics.median(cost.cpu_s for cost in of) for of in runs)
    return (more - less) / (many - few)


if __name__ == "__main__":
    main()
