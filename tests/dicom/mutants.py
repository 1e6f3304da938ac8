"""Mutants of small files, through ingest and preparation, and what became of them."""

from __future__ import annotations

import random
import struct
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dicom.conftest import SHOW_NO_ONE
from families.image_recipe import config

from medray.contracts import Bad, Good, SourceObject
from medray.dicom import child
from medray.dicom.config import DicomConfig
from medray.dicom.spec import SOURCE
from medray.errors import Unusable
from medray.families.image.prepare import prepare
from medray.privacy.pseudonyms import Pseudonyms

KEY = Pseudonyms(b"0123456789abcdef0123456789abcdef")
INGEST = DicomConfig(subject="image", inflated_bytes=2_000_000, pixel_bytes=20_000_000)
FULL, REDUCED = config(frames="all", window="dicom"), config(frames="all", window="full", reduced=True, size=(8, 8))
EXTREMES = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)


@dataclass
class Fates:
    """What became of mutants.

    Attributes:
        ingest, prepare: how often which reason, or `good`.
        slowest_s: the longest that one took from bytes to prepared images.
        child_bytes: largest resident memory of a decoder child (VmHWM).
    """

    ingest: Counter[str] = field(default_factory=Counter)
    prepare: Counter[str] = field(default_factory=Counter)
    slowest_s: float = 0.0
    child_bytes: int = 0


def mutant(files: Sequence[bytes], dice: random.Random) -> bytes:
    """One file with one to four changes: bits, bytes, lengths, cuts, and pieces of other files."""
    made = bytearray(dice.choice(files))
    if dice.random() < 0.5:  # lengths stay: most of these reach a decoder
        for _ in range(dice.randint(1, 4)):
            _change(made, files, dice, len(made) // 2, 2)
        return bytes(made)
    for _ in range(dice.randint(1, 4)):
        _change(made, files, dice, min(128, len(made) - 1), 6)
    return bytes(made)


def _change(made: bytearray, files: Sequence[bytes], dice: random.Random, first: int, ways: int) -> None:
    at = dice.randrange(max(first, 0), len(made) + 1)
    match dice.randrange(ways):
        case 0 if at < len(made):
            made[at] ^= 1 << dice.randrange(8)
        case 1 if at < len(made):
            made[at] = dice.randrange(256)
        case 2:  # a length, as the short and the long form of an element have it
            form = dice.choice(("<H", "<L", ">H"))
            value = dice.choice(EXTREMES) & (0xFFFF if form != "<L" else 0xFFFFFFFF)
            made[at : at + struct.calcsize(form)] = struct.pack(form, value)
        case 3:
            other = dice.choice(files)
            start = dice.randrange(len(other))
            made[at : at + dice.choice((0, 2, 8, 64))] = other[start : start + dice.randrange(1, 65)]
        case 4:
            del made[at : at + dice.randrange(1, 33)]
        case _:
            made[at:at] = made[at : at + dice.randrange(1, 65)]


def campaign(files: Sequence[bytes], count: int, seed: int) -> Fates:
    """`count` mutants of `files` through ingest and preparation, each with a fate of its own.

    Raises: whatever leaves ingest or preparation that is no `Unusable`.
    """
    dice, fates = random.Random(seed), Fates()
    for number, data in enumerate(mutant(files, dice) for _ in range(count)):
        began = time.monotonic()
        for row in _rows(data, fates):
            _prepared(row, REDUCED if number % 2 else FULL, fates)
            fates.child_bytes = max(fates.child_bytes, _child_bytes())
        fates.slowest_s = max(fates.slowest_s, time.monotonic() - began)
    return fates


def _rows(data: bytes, fates: Fates) -> Iterator[dict[str, Any]]:
    item = SourceObject("mutant", len(data), "")
    rows, bad = [], []
    for piece in SOURCE.read([item], lambda _: data, KEY, INGEST, SHOW_NO_ONE):
        if isinstance(piece, Good):
            rows += piece.rows.to_pylist()
        elif isinstance(piece, Bad):
            bad.append(piece.reason)
    assert (len(rows) > 0) + len(bad) == 1, "a mutant in no place, or in two"
    fates.ingest[bad[0] if bad else "good"] += 1
    yield from rows


def _prepared(row: dict[str, Any], how: Any, fates: Fates) -> None:
    try:
        prepare(row, how)
    except Unusable as error:
        fates.prepare[error.reason] += 1
    else:
        fates.prepare["good"] += 1


def _child_bytes() -> int:
    held = child._decoder._child
    try:
        status = Path(f"/proc/{held.process.pid}/status").read_text() if held else ""
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM")), 0)
