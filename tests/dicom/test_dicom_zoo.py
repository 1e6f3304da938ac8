"""Bad input of every kind: each has its reason, and none of it costs a good file."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zoo

from medray.config import parse
from medray.contracts import Bad, Good, SourceObject
from medray.dicom.config import DicomConfig
from medray.dicom.examples import FOLDER
from medray.dicom.pixels import frame_arrays
from medray.dicom.spec import SOURCE
from medray.drivers.images.ingest import ingest_archive
from medray.drivers.job import Job
from medray.errors import Unusable
from medray.narration import silent
from medray.privacy.pseudonyms import Pseudonyms
from medray.schema.images import IMAGES
from medray.schema.quarantine import QUARANTINE
from medray.schema.reasons import REASONS
from medray.storage.snapshot import snapshot
from medray.storage.store import LAKE

KEY = Pseudonyms(b"0123456789abcdef0123456789abcdef")
SMALL = {"inflated_bytes": 2_000_000}
KINDS = zoo.kinds()


def test_the_zoo_is_large_and_every_kind_is_another() -> None:
    assert len(KINDS) >= 60
    assert len({kind.name for kind in KINDS}) == len({kind.data for kind in KINDS}) == len(KINDS)
    assert {kind.reason for kind in KINDS} <= set(REASONS)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_each_kind_has_its_reason(kind: zoo.Kind, ingest: Any) -> None:
    outcomes = ingest(kind.data, **SMALL)
    if kind.stage == "ingest":
        assert outcomes.reason == kind.reason, outcomes.bad
        return
    with pytest.raises(Unusable) as caught:
        list(frame_arrays(outcomes.row))
    assert caught.value.reason == kind.reason


@pytest.mark.parametrize(("name", "data"), zoo.odd_but_good().items(), ids=list(zoo.odd_but_good()))
def test_what_is_odd_but_good_is_an_image(name: str, data: bytes, ingest: Any) -> None:
    row = ingest(data).row
    (frame,) = frame_arrays(row)
    np.testing.assert_array_equal(frame, zoo.PIXELS)


@pytest.mark.parametrize(("syntax", "data"), zoo.every_syntax().items(), ids=list(zoo.every_syntax()))
def test_the_files_that_are_spoilt_were_good(syntax: str, data: bytes, ingest: Any) -> None:
    row = ingest(data).row
    assert (row["TransferSyntaxUID"], len(list(frame_arrays(row)))) == (syntax, 1)


def test_one_percent_of_ten_thousand_files_costs_no_good_one() -> None:
    """Chunks of 1,000 objects; every good file gives its own row, every bad one its reason."""
    dice = random.Random(11)
    found = [kind for kind in KINDS if kind.stage == "ingest"]
    bad_at = dict(zip(sorted(dice.sample(range(10_000), 100)), (found * 2)[:100], strict=False))
    config = DicomConfig(subject="PatientID", inflated_bytes=2_000_000)
    uids: Counter[str] = Counter()
    reasons = {}
    for first in range(0, 10_000, 1000):
        contents = {f"o/{n}": bad_at[n].data if n in bad_at else zoo.good(n) for n in range(first, first + 1000)}
        objects = [SourceObject(uri, len(data), "") for uri, data in contents.items()]
        for piece in SOURCE.read(objects, lambda item, held=contents: held[item.uri], KEY, config):
            if isinstance(piece, Good):
                uids.update(piece.rows.column("SOPInstanceUID").to_pylist())
            elif isinstance(piece, Bad):
                reasons[piece.source_key] = piece.reason
    assert uids == Counter(KEY.uid(f"1.2.3.{n}") for n in range(10_000) if n not in bad_at)
    assert reasons == {KEY.source_key(f"o/{n}"): kind.reason for n, kind in bad_at.items()}


NAMES = (
    "CT_small.dcm", "MR_small.dcm", "MR_small_RLE.dcm", "MR_small_bigendian.dcm", "MR_small_implicit.dcm",
    "MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm", "rtdose.dcm", "rtdose_rle.dcm", "JPEG2000.dcm",
    "SC_rgb_rle_2frame.dcm", "SC_rgb_jpeg_dcmtk.dcm", "SC_rgb_small_odd.dcm", "image_dfl.dcm", "JPEG-lossy.dcm",
    "SC_rgb_gdcm_KY.dcm", "examples_overlay.dcm", "liver_1frame.dcm",
)  # fmt: skip


def test_random_truncations_are_found(ingest: Any) -> None:
    """999 of 1,000: a cut exactly between the pixels and Data Set Trailing Padding takes nothing away."""
    dice = random.Random(17)
    files = [(FOLDER / name).read_bytes() for name in NAMES] + list(zoo.every_syntax().values())
    missed = 0
    for number in range(1000):
        data = files[number % len(files)]
        outcomes = ingest(data[: dice.randrange(1, len(data))], subject="image")
        missed += not outcomes.bad
        assert len(outcomes.rows) + len(outcomes.bad) == 1
    assert missed <= 1


@pytest.mark.ray
def test_a_job_gives_every_file_its_place(ray_session: object, tmp_path: Path) -> None:
    """200 good files, the zoo beside them, an id with other bytes and a file that is there twice."""
    archive, lake, secret = tmp_path / "archive", str(tmp_path / "lake"), "k" * 64
    archive.mkdir()
    (tmp_path / "key").write_text(secret)
    files = {f"good-{number:03d}": (zoo.good(number), "ingested") for number in range(200)}
    caught = [kind for kind in KINDS if kind.stage == "ingest" and kind.name != "bomb_of_deflate"]
    files |= {f"good-{number:03d}-{kind.name}": (kind.data, kind.reason) for number, kind in enumerate(caught)}
    files["z-other-bytes"] = (zoo.file(zoo.written(zoo.image(7, x00080060=("CS", b"CR")))), "conflict")
    files["z-twice"] = (zoo.good(8), "duplicate")
    for name, (data, _) in files.items():
        (archive / name).write_bytes(data)
    document = {
        "job": "ingest_dicom", "name": "zoo", "lake": lake, "chunks": {"objects": 100},
        "source": {"kind": "dicom", "uri": str(archive), "subject": "PatientID"},
        "deidentify": {"profile": "basic", "key": f"file:{tmp_path / 'key'}"},
    }  # fmt: skip
    result = ingest_archive(parse(document, "test"), Job("2026-01-01", silent()))
    assert dict(result.sums[0].parts)["ingested"] == 200
    state, key = snapshot(LAKE, lake), Pseudonyms(secret.encode())
    refused = state.table(QUARANTINE, ("source_key", "reason")).to_pylist()
    outcomes = {row["source_key"]: row["reason"] for row in refused}
    outcomes |= dict.fromkeys(state.table(IMAGES, ("source_key",))["source_key"].to_pylist(), "ingested")
    assert outcomes == {key.source_key(str(archive / name)): reason for name, (_, reason) in files.items()}
