"""From the bytes of a file to its pixels: medray beside pydicom, on the same files, in one run.

    python tests/bench/decode_dicom.py --files 12 --rounds 5

Rounds are interleaved, every array is compared with the pixels that were drawn before a time counts, and
the CPU seconds of medray are those of its process and of its decoder child together. Prints medians in
CPU microseconds a file, how many times as much pydicom takes, and what the header is of that.
"""

from __future__ import annotations

import argparse
import hashlib
import statistics
import time
import warnings
from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np
import psutil
import pydicom
from dicom_archive import KINDS, Made, made
from pydicom.pixels.utils import pixel_array

from medray.dicom import child
from medray.dicom.codecs.native import arranged
from medray.dicom.config import DicomConfig
from medray.dicom.decoding import decoded, samples
from medray.dicom.encapsulated import encapsulated_frames
from medray.dicom.header import Instance, read_instance
from medray.dicom.native import native_frames
from medray.dicom.pixel_header import PixelHeader, read_pixel_header

CONFIG = DicomConfig(subject="PatientID")


def header_by_medray(data: bytes) -> tuple[Instance, PixelHeader]:
    """Every length of a file checked, and the form of its frames."""
    instance = read_instance(data, CONFIG)
    tag = instance.pixels.tag
    return instance, read_pixel_header(instance.header, instance.syntax.samples, CONFIG.pixel_bytes, tag)


def by_medray(data: bytes) -> Any:
    """The only frame of a file."""
    instance, form = header_by_medray(data)
    syntax, pixels = instance.syntax, instance.pixels
    if syntax.kind == "native":
        value = memoryview(instance.body)[pixels.start : pixels.end]
        (flat,) = native_frames(value, form, syntax.little, pixels.vr == b"OW")
        return samples(arranged(flat, form), form)
    (stream,) = encapsulated_frames(instance.body, pixels, syntax.kind, form.frames, instance.header)
    return decoded(bytes(stream), syntax, form)


def by_pydicom(data: bytes) -> Any:
    return pixel_array(pydicom.dcmread(BytesIO(data)))


def by_pylibjpeg(data: bytes) -> Any:
    return pixel_array(pydicom.dcmread(BytesIO(data)), decoding_plugin="pylibjpeg")


def header_by_pydicom(data: bytes) -> Any:
    return pydicom.dcmread(BytesIO(data))


WAYS: dict[str, Callable[[bytes], Any]] = {"medray": by_medray, "pydicom": by_pydicom, "pylibjpeg": by_pylibjpeg}
HEADERS: dict[str, Callable[[bytes], Any]] = {"medray": header_by_medray, "pydicom": header_by_pydicom}
LOSSY = ("cxr_jpeg",)


def cpu_seconds() -> float:
    """Of this process and of the decoder child."""
    held = child._decoder._child
    used = psutil.Process(held.process.pid).cpu_times() if held else None
    return time.process_time() + (used.user + used.system if used else 0.0)


def right(way: str, files: list[Made]) -> bool:
    """Does it give the pixels of every file? False where it has no decoder for them."""
    for one in files:
        try:
            found = WAYS[way](one.data)
        except (RuntimeError, NotImplementedError, ValueError):
            return False
        told = hashlib.sha256(np.ascontiguousarray(found).tobytes()).hexdigest()
        assert one.kind in LOSSY or told == one.pixels_sha256, f"{way} gives other pixels of {one.kind}"
    return True


def measure(files: list[Made], rounds: int, ways: dict[str, Callable[[bytes], Any]]) -> dict[str, float]:
    """CPU microseconds a file of each way, median of the rounds."""
    times: dict[str, list[float]] = {way: [] for way in ways}
    for number in range(rounds):
        for way in list(ways) if number % 2 == 0 else list(ways)[::-1]:
            began = cpu_seconds()
            for one in files:
                ways[way](one.data)
            times[way].append((cpu_seconds() - began) / len(files) * 1e6)
    return {way: statistics.median(found) for way, found in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=12, help="of each kind; a quarter as many of 2048 x 2048 pixels")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), default=list(KINDS))
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    for kind in asked.kinds:
        count = asked.files if KINDS[kind][1] < 2048 else max(asked.files // 4, 1)
        files = list(made([kind] * count))
        found = measure(files, asked.rounds, {way: run for way, run in WAYS.items() if right(way, files)})
        heads = measure(files, asked.rounds, HEADERS)
        others = [way for way in found if way != "medray"]
        costs = "  ".join(f"{way} {cost:9,.0f} us" for way, cost in found.items())
        ratios = ", ".join(f"{found[way] / found['medray']:.2f} x {way}" for way in others)
        print(
            f"{kind:11} {costs}   {ratios}   of which header {heads['medray']:,.0f}, {heads['pydicom']:,.0f} us",
            flush=True,
        )


if __name__ == "__main__":
    main()
