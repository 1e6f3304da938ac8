"""An archive shaped like MIMIC-IV: `icu/chartevents.csv.gz` of any length, `hosp/patients.csv.gz` and
`hosp/admissions.csv.gz` beside it.

The same rows, seed and number of files give the same bytes. As in the real table the rows stand by
subject, stay and time; there are some 5,000 of a subject, 2,000 items of which few make up most rows, two
in five rows with a number, and a round of some seven items charted at one time. No row is there twice,
so that every converter keeps all of them.
"""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

BLOCK_ROWS = 250_000  # made, and compressed as a gzip member of its own, at once
SUBJECTS = 50  # of a block: about 5,000 rows each
STAYS = 4  # of a subject
ITEMS = 2_000
WORDS = 500  # distinct texts of the items without numbers
UNITS = ["mmHg", "bpm", "insp/min", "%", "°C", "mL", "cmH2O", "mg/dL", "mEq/L", "kg"]
SEED = 4711
_EPOCH = np.datetime64("2120-01-01T00:00:00", "s").astype(np.int64)
Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Subjects:
    """The subjects of one block, one row a stay: SUBJECTS * STAYS of each."""

    subject: Array
    hadm: Array
    stay: Array
    begin: Array  # seconds since 1970


def write_archive(folder: Path, rows: int, files: int, processes: int = 2) -> None:
    """Write the archive below `folder`, chartevents as so many files of about the same size."""
    for name in ("icu/chartevents" if files > 1 else "icu", "hosp"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    sizes = [min(BLOCK_ROWS, rows - start) for start in range(0, rows, BLOCK_ROWS)]
    _write_hosp(folder / "hosp", len(sizes))
    with ProcessPoolExecutor(processes) as pool:
        members = enumerate(pool.map(_member, range(len(sizes)), sizes))
        for file, own in groupby(members, lambda member: member[0] * files // len(sizes)):
            name = f"chartevents/{file:03d}.csv.gz" if files > 1 else "chartevents.csv.gz"
            with (folder / "icu" / name).open("wb") as sink:
                sink.write(gzip.compress(_header().encode(), 1, mtime=0))
                for _, data in own:
                    sink.write(data)


def _member(block: int, rows: int) -> bytes:
    sink = io.BytesIO()
    csv.write_csv(chartevents(block, rows), sink, csv.WriteOptions(include_header=False, quoting_style="needed"))
    return gzip.compress(sink.getbuffer(), 1, mtime=0)


def chartevents(block: int, rows: int) -> pa.Table:
    """The rows of one block, at most BLOCK_ROWS."""
    rng = np.random.default_rng((SEED, block, 1))
    stays = subjects(block)
    stay, minute, item = _charted(rng, rows)
    has_number = 7 * item % 5 < 2
    number = np.round(rng.gamma(9.0, 10.0, rows), 1)
    word = pa.array([f"observation {k}" for k in range(WORDS)]).take(pa.array(rng.integers(0, WORDS, rows)))
    figures = pa.array(number).cast(pa.string())
    shown = pa.array(has_number)
    charted = stays.begin[stay] + 60 * minute
    return pa.table(
        {
            "subject_id": stays.subject[stay],
            "hadm_id": stays.hadm[stay],
            "stay_id": stays.stay[stay],
            "caregiver_id": rng.integers(1_000, 99_000, rows),
            "charttime": _written(charted),
            "storetime": _written(charted + rng.integers(30, 7_200, rows)),
            "itemid": 220_000 + 3 * item,
            "value": pc.if_else(shown, figures, word),
            "valuenum": pa.array(number, mask=~has_number),
            "valueuom": pa.array(UNITS).take(pa.array(item % len(UNITS), mask=~has_number)),
            "warning": pa.array((rng.random(rows) < 0.02).astype(np.int8)),
        }
    )


def subjects(block: int) -> Subjects:
    """Who is in a block; ids rise with the blocks."""
    rng = np.random.default_rng((SEED, block, 2))
    count = SUBJECTS * STAYS
    subject = 10_000_000 + 100 * (block * SUBJECTS + np.arange(SUBJECTS)) + rng.integers(0, 100, SUBJECTS)
    admission = block * count + np.arange(count)
    first = _EPOCH + 86_400 * np.repeat(rng.integers(0, 20_000, SUBJECTS), STAYS)
    begin = first + 86_400 * 200 * np.tile(np.arange(STAYS), SUBJECTS) + rng.integers(0, 86_400, count) // 60 * 60
    return Subjects(np.repeat(subject, STAYS), 20_000_000 + admission, 30_000_000 + admission, begin)


def _charted(rng: np.random.Generator, rows: int) -> tuple[Array, Array, Array]:
    """Stay, minute of the stay and item of each row: sorted by stay and minute, each triple once."""
    made = int(rows * 1.35) + 1_000
    share = rng.dirichlet(np.full(SUBJECTS * STAYS, 2.0))
    stay = rng.choice(len(share), made, p=share)
    rounds = np.maximum((made * share / 20).astype(np.int64), 1)  # of 20 draws, many of them of the same item
    minute = rng.integers(0, rounds[stay]) * 30 + rng.integers(0, 3, made) // 2
    item = rng.permutation(np.minimum(rng.zipf(1.25, made) - 1, rng.integers(0, ITEMS, made)))
    triple = np.unique((stay * 2**20 + minute) * 2**12 + item)
    triple = np.sort(rng.choice(triple, rows, replace=False))
    triple = triple[np.argsort((triple >> 12) + rng.random(rows))]  # items of a round in no order
    return triple >> 32, (triple >> 12) % 2**20, triple % 2**12


def _written(seconds: Array) -> pa.Array:
    return pa.array(seconds.astype("datetime64[s]")).cast(pa.string())


def _header() -> str:
    return "subject_id,hadm_id,stay_id,caregiver_id,charttime,storetime,itemid,value,valuenum,valueuom,warning\n"


def _write_hosp(folder: Path, blocks: int) -> None:
    for name, tables in (("patients", _patients(blocks)), ("admissions", _admissions(blocks))):
        sink = io.BytesIO()
        csv.write_csv(pa.concat_tables(tables), sink, csv.WriteOptions(quoting_style="needed"))
        (folder / f"{name}.csv.gz").write_bytes(gzip.compress(sink.getbuffer(), 1, mtime=0))


def _patients(blocks: int) -> Iterator[pa.Table]:
    for block in range(blocks):
        subject = np.unique(subjects(block).subject)
        years = 2100 + subject % 60
        yield pa.table(
            {
                "subject_id": subject,
                "gender": np.where(subject % 2, "F", "M"),
                "anchor_age": 18 + subject % 70,
                "anchor_year": years,
            }
        )


def _admissions(blocks: int) -> Iterator[pa.Table]:
    for block in range(blocks):
        stays = subjects(block)
        yield pa.table(
            {
                "subject_id": stays.subject,
                "hadm_id": stays.hadm,
                "admittime": _written(stays.begin - 3_600),
                "dischtime": _written(stays.begin + 86_400 * 180),
                "admission_type": np.where(stays.hadm % 3, "EW EMER.", "ELECTIVE"),
            }
        )
