"""Mutants end in exactly one place, soon, and in bounded memory."""

from __future__ import annotations

import os

import pytest
import zoo
from dicom.mutants import Fates, campaign

from medray.dicom.child import limits_of
from medray.dicom.examples import FOLDER
from medray.schema.reasons import REASONS

# Real files of up to 10 kB, and one small file of every syntax.
REAL = ("MR_small_RLE.dcm", "MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm", "SC_rgb_small_odd.dcm",
        "SC_rgb_small_odd_jpeg.dcm", "rtdose_1frame.dcm", "SC_rgb_jpeg_lossy_gdcm.dcm", "MR_small.dcm")  # fmt: skip
FILES = [(FOLDER / name).read_bytes() for name in REAL] + 3 * list(zoo.every_syntax().values())


def _hold(fates: Fates, count: int) -> None:
    print(fates)
    assert fates.ingest.total() == count
    assert {*fates.ingest, *fates.prepare} <= {*REASONS, "good"}
    assert min(fates.ingest["good"], fates.prepare["good"]) > count / 100  # the campaign reaches the decoders
    assert fates.slowest_s < 60
    assert 0 < fates.child_bytes < limits_of(20_000_000).memory_bytes


@pytest.mark.timeout(900)
def test_mutants_end_in_exactly_one_place() -> None:
    _hold(campaign(FILES, 20_000, seed=20261121), 20_000)


@pytest.mark.slow
@pytest.mark.timeout(0)
def test_a_long_campaign() -> None:
    """`MEDRAY_MUTANTS` says how many, `MEDRAY_SEED` which."""
    count, seed = int(os.environ.get("MEDRAY_MUTANTS", "1000000")), int(os.environ.get("MEDRAY_SEED", "1"))
    _hold(campaign(FILES, count, seed), count)
