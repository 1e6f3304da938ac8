"""The ingests that are compared: how each is started on the same archive, and what it left."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from dicom_archive import manifest

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]
Digests = Counter[str]

RECIPE = """job = "ingest_dicom"
name = "bench"
lake = "{lake}"
source = {{ kind = "dicom", uri = "{archive}", subject = "PatientID", verify = {verify} }}
deidentify = {{ profile = "basic", key = "env:MEDRAY_BENCH_KEY" }}
compute = {{ cpus = {cpus} }}
chunks = {{ megabytes = 64 }}
"""


@dataclass(frozen=True)
class Start:
    """A command, what its environment has besides ours, and where it leaves what."""

    command: list[str]
    environment: Mapping[str, str]
    output: str
    digests: Callable[[Path], Iterator[str]]


def medray(verify: float) -> Callable[[Path, Path, str, int], Start]:
    """The job as a user starts it, de-identification and hashes included, on a Ray session of its own."""

    def start(archive: Path, work: Path, python: str, cpus: int) -> Start:
        work.mkdir(parents=True, exist_ok=True)
        recipe = work / "recipe.toml"
        recipe.write_text(RECIPE.format(lake=work / "lake", archive=archive, verify=verify, cpus=cpus))
        environment = {"MEDRAY_BENCH_KEY": "k" * 64, "PYTHONPATH": str(REPOSITORY)}
        command = [sys.executable, str(REPOSITORY / "jobs" / "ingest_dicom.py"), str(recipe)]
        return Start(command, environment, "lake/tables/images/data/*/*.parquet", _of_images)

    return start


def script(engine: str, way: str) -> Callable[[Path, Path, str, int], Start]:
    """A script of `peer_dicom.py`."""

    def start(archive: Path, work: Path, python: str, cpus: int) -> Start:
        own = way in ("same", "nothing")  # by medray's functions, in medray's environment
        command = [sys.executable if own else python, str(HERE / "peer_dicom.py"), engine, way]
        environment = {"PYTHONPATH": str(REPOSITORY)} if own else {}
        output, digests = OUTPUTS[way]
        return Start([*command, str(archive), str(work / "out"), str(cpus)], environment, output, digests)

    return start


def expected(archive: Path, peer: str) -> Digests:
    """The digests that an output must have: of each file's pixels, of each file's bytes, or none."""
    if peer in OF_NOTHING:
        return Counter()
    entries = json.loads(manifest(archive).read_text())
    if peer in OF_FILES:
        return Counter(hashlib.sha256((archive / entry["path"]).read_bytes()).hexdigest() for entry in entries)
    return Counter(entry["pixels_sha256"] for entry in entries)


def _of_images(path: Path) -> Iterator[str]:
    """Of the frames of `images`, decoded by medray (which its tests compare with pydicom)."""
    from medray.dicom.pixels import frame_arrays

    file = pq.ParquetFile(path)
    for group in range(file.num_row_groups):
        for row in file.read_row_group(group).to_pylist():
            for frame in frame_arrays(row):
                yield hashlib.sha256(frame.tobytes()).hexdigest()


def _of_pixels(path: Path) -> Iterator[str]:
    file = pq.ParquetFile(path)
    for batch in file.iter_batches(16, columns=["pixels"]):
        yield from (hashlib.sha256(cell).hexdigest() for cell in batch.column(0).to_pylist())


def _of_kept(path: Path) -> Iterator[str]:
    import pyarrow as pa
    from peer_dicom import NATIVE, decoded

    def pixels(row: Mapping[str, Any]) -> bytes:
        size = row["rows"] * row["columns"] * 2
        if row["TransferSyntaxUID"] != NATIVE:
            return decoded(row["pixels"], row["TransferSyntaxUID"], size // 2)[:size]
        apart = pa.Codec("zstd").decompress(row["pixels"], decompressed_size=size, asbytes=True)
        return bytes(b for pair in zip(apart[: size // 2], apart[size // 2 :], strict=True) for b in pair)

    file = pq.ParquetFile(path)
    for batch in file.iter_batches(16):
        yield from (hashlib.sha256(pixels(row)).hexdigest() for row in batch.to_pylist())


def _of_copies(path: Path) -> Iterator[str]:
    yield from path.read_text().split()


OUTPUTS: dict[str, tuple[str, Callable[[Path], Iterator[str]]]] = {
    "copy": ("out/*.txt", _of_copies),
    "keep": ("out/**/*.parquet", _of_kept),
    "decode": ("out/**/*.parquet", _of_pixels),
    "same": ("out/*.parquet", _of_images),
    "nothing": ("out/none", _of_copies),
}
PEERS: dict[str, Callable[[Path, Path, str, int], Start]] = {
    "ray-nothing": script("ray", "nothing"),
    "copy": script("pool", "copy"),
    "medray": medray(0.0),
    "pool-keep": script("pool", "keep"),
    "pool-same": script("pool", "same"),
    "medray-verify": medray(1.0),
    "pool-decode": script("pool", "decode"),
    "dask-decode": script("dask", "decode"),
    "daft-decode": script("daft", "decode"),
    "spark-decode": script("spark", "decode"),
}
OF_FILES, OF_NOTHING = ("copy",), ("ray-nothing",)
CPUS = os.cpu_count() or 1
