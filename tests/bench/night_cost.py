"""What a night of 50 new images costs beside 1,000 and beside 100,000 old ones.

    python tests/bench/night_cost.py --old 1000 --old 100000 --nights 5

Old images are ingested and scored once; then nights follow, each with 50 new ones. Shown are the medians of
their wall time, what of it is the listing and the look-up of keys, and the rest, which is to stay
within 20%.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from nights.hospital_month import Month, instance  # noqa: E402

import medray.drivers.images.collide as collide  # noqa: E402
import medray.drivers.images.ingest as ingest  # noqa: E402
import medray.drivers.models.predict as predict  # noqa: E402
from medray.engine.session import session  # noqa: E402

NEW = 50
PATIENT = "SYNTHETIC-0000000"
LOOKED_UP = {
    "listing": ((ingest, "list_objects"),),
    "key look-up": (
        (ingest, "past_of"), (collide, "_standing"), (predict, "newest_inputs"), (predict, "_answered"),
        (predict, "refused_before"),
    ),
}  # fmt: skip


class Clock:
    """Seconds spent in the functions that may grow with the archive."""

    def __init__(self) -> None:
        self.spent: Counter[str] = Counter()
        for name, functions in LOOKED_UP.items():
            for module, function in functions:
                setattr(module, function, self._timed(name, getattr(module, function)))

    def _timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*arguments: Any, **named: Any) -> Any:
            started = time.monotonic()
            try:
                return function(*arguments, **named)
            finally:
                self.spent[name] += time.monotonic() - started

        return timed


class Archive:
    """Writes instances fast: one template whose identifiers are replaced by others of the same length."""

    def __init__(self, folder: Path) -> None:
        from io import BytesIO

        import numpy as np

        stream = BytesIO()
        pixels = np.random.default_rng(1).integers(0, 256, (32, 32)).astype(np.uint8)
        template = instance(pixels, "template", "SN-1")
        template.PatientID = template.PatientName = PATIENT
        template.StudyInstanceUID, template.SeriesInstanceUID = f"2.25.{10**30 + 1}", f"2.25.{10**30 + 2}"
        template.SOPInstanceUID = template.file_meta.MediaStorageSOPInstanceUID = f"2.25.{10**30 + 3}"
        template.save_as(stream)
        self._template, self._folder, self._count = stream.getvalue(), folder, 0

    def write(self, count: int, name: str) -> None:
        for number in range(self._count, self._count + count):
            data = self._template.replace(PATIENT.encode(), f"SYNTHETIC-{number:07d}".encode())
            for kind in (1, 2, 3):
                uid = f"2.25.{10**30 + kind}".encode()
                data = data.replace(uid, f"2.25.{kind * 10**30 + 1000 + number}".encode()[: len(uid)])
            path = self._folder / name / f"{number // 1000:04d}" / f"{number:07d}.dcm"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        self._count += count


def measure(old: int, nights: int, clock: Clock) -> dict[str, float]:
    """Medians in seconds over the nights."""
    with tempfile.TemporaryDirectory(prefix="medray-night-cost-") as folder:
        month, first = Month(Path(folder)), date(2026, 3, 16)
        archive = Archive(month.archive)
        archive.write(old, "old")
        with session():
            month.begin(first - timedelta(days=2), write=False)
            month.predict(first - timedelta(days=2))
            month.night(first - timedelta(days=1))  # workers are warm
            found = []
            for number in range(nights):
                archive.write(NEW, f"new-{number}")
                clock.spent.clear()
                started = time.monotonic()
                result = month.night(first + timedelta(days=number))
                assert dict(result.sums[-1].parts)["scored"] == NEW, result
                wall = time.monotonic() - started
                found.append({"wall": wall, **clock.spent, "rest": wall - sum(clock.spent.values())})
    return {name: median(one[name] for one in found) for name in found[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--old", type=int, action="append", help="images in the lake before (several)")
    parser.add_argument("--nights", type=int, default=5)
    arguments = parser.parse_args()
    clock = Clock()
    results = {old: measure(old, arguments.nights, clock) for old in arguments.old or [1000, 100_000]}
    names = list(next(iter(results.values())))
    print("| old images | " + " | ".join(f"{name}, s" for name in names) + " |")
    print("|---|" + "---|" * len(names))
    for old, result in results.items():
        print(f"| {old:,} | " + " | ".join(f"{result[name]:.2f}" for name in names) + " |")
    rests = [result["rest"] for result in results.values()]
    print(f"the rest: {rests[-1] / rests[0]:.2f} of that beside the fewest")


if __name__ == "__main__":
    main()
