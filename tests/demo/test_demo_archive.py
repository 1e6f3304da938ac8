"""The demonstration archive: the same bytes every time, of every kind, with its problems."""

from __future__ import annotations

import csv
import hashlib
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from medray.contracts import Bad, Good, Link, SourceObject
from medray.demo.archive import Archive, write_archive, write_studies
from medray.demo.cases import SPLITS, Cases, medmnist, synthetic
from medray.demo.phantoms import phantom
from medray.dicom.config import DicomConfig
from medray.dicom.pixels import display_values, frame_arrays
from medray.dicom.spec import SOURCE
from medray.dicom.wrap import WRITABLE
from medray.privacy.pseudonyms import Pseudonyms

DAY = date(2024, 3, 1)


@pytest.fixture(scope="module")
def cases() -> Cases:
    return synthetic(42, seed=1, size=48)


@pytest.fixture(scope="module")
def archive(cases: Cases, tmp_path_factory: pytest.TempPathFactory) -> Archive:
    return write_archive(tmp_path_factory.mktemp("demo"), cases, label="opacity", first_day=DAY)


def read(root: Path, paths: Any) -> list[Good | Bad | Link]:
    objects = [SourceObject(path, (root / path).stat().st_size, "") for path in paths]
    config = DicomConfig(subject="PatientID")
    return list(SOURCE.read(objects, lambda o: (root / o.uri).read_bytes(), Pseudonyms(b"k" * 32), config))


def rows_of(pieces: list[Good | Bad | Link]) -> list[dict[str, Any]]:
    return [row for piece in pieces if isinstance(piece, Good) for row in piece.rows.to_pylist()]


def test_every_case_comes_back_exactly(cases: Cases, archive: Archive) -> None:
    rows = rows_of(read(archive.root, archive.paths))
    assert len(rows) == len(cases) == 42
    for row, image in zip(rows, cases.images, strict=True):
        (frame,) = frame_arrays(row)
        np.testing.assert_allclose(display_values(frame, row, "full") * 255, image, atol=1e-3)
    assert {row["TransferSyntaxUID"] for row in rows} == {syntax.uid for syntax in WRITABLE}
    assert {row["PhotometricInterpretation"] for row in rows} == {"MONOCHROME1", "MONOCHROME2"}
    assert {row["Modality"] for row in rows} == {"CR", "DX"}
    assert len({row["subject_id"] for row in rows}) == len(set(cases.patients)) < 42
    assert len({row["SOPInstanceUID"] for row in rows}) == len({row["StudyInstanceUID"] for row in rows}) == 42


def test_answers_lie_beside_the_archive(cases: Cases, archive: Archive) -> None:
    assert not archive.labels.is_relative_to(archive.root)
    with archive.labels.open() as stream:
        lines = list(csv.DictReader(stream))
    assert [line["path"] for line in lines] == list(archive.paths)
    assert [line["opacity"] for line in lines] == [str(int(label)) for label in cases.labels]
    assert [line["split"] for line in lines] == list(cases.splits)
    assert all((archive.root / line["path"]).is_file() for line in lines)


def test_problems_are_what_they_are_called(archive: Archive) -> None:
    quarantined = {p: r for p, r in archive.problems.items() if r not in ("duplicate", "conflict")}
    bad = [piece.reason for piece in read(archive.root, quarantined) if isinstance(piece, Bad)]
    assert bad == list(quarantined.values()) == ["truncated", "not_dicom", "empty", "not_dicom"]
    names = {reason: path for path, reason in archive.problems.items()}
    same, twin, first, second = rows_of(read(archive.root, [names["duplicate"], names["conflict"], *archive.paths[:2]]))
    assert same["SOPInstanceUID"] == first["SOPInstanceUID"]
    assert same["input_sha256"] == first["input_sha256"]
    assert twin["SOPInstanceUID"] == second["SOPInstanceUID"]
    assert twin["input_sha256"] != second["input_sha256"]
    assert max(archive.paths) < min(archive.problems)  # the original is seen first


def _digest(root: Path) -> str:
    files = sorted(path for path in root.rglob("*") if path.is_file())
    content = [path.relative_to(root).as_posix().encode() + path.read_bytes() for path in files]
    return hashlib.sha256(b"".join(content)).hexdigest()


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_archive(tmp_path / name, synthetic(8, seed=3, size=16), label="x", first_day=DAY)
    write_archive(tmp_path / "c", synthetic(8, seed=4, size=16), label="x", first_day=DAY)
    a, b, c = (_digest(tmp_path / name) for name in "abc")
    assert a == b != c


def test_the_next_morning_brings_new_studies_of_new_patients(cases: Cases, archive: Archive) -> None:
    fresh = synthetic(6, seed=1, size=48, first_patient=42)
    paths = write_studies(archive.root, fresh, first_day=date(2024, 9, 2))
    rows = rows_of(read(archive.root, [*archive.paths, *paths]))
    assert len({row["SOPInstanceUID"] for row in rows}) == 48
    assert not set(fresh.patients) & set(cases.patients)
    assert not set(paths) & set(archive.paths)
    known = {image.tobytes() for image in cases.images}
    assert not known & {image.tobytes() for image in fresh.images}


def test_a_patient_is_in_one_split(cases: Cases) -> None:
    pairs = set(zip(cases.patients, cases.splits, strict=True))
    assert len(pairs) == len(set(cases.patients))
    assert set(cases.splits) == set(SPLITS)
    assert cases.labels.sum() == 21
    assert all(patient.startswith("SYNTHETIC-") for patient in cases.patients)


def test_some_of_the_cases(cases: Cases) -> None:
    few = cases.take([5, 2])
    assert few.patients == (cases.patients[5], cases.patients[2])
    np.testing.assert_array_equal(few.images[1], cases.images[2])


def test_an_opacity_is_all_that_is_added() -> None:
    without, with_it = (phantom(7, positive, 64) for positive in (False, True))
    assert without.shape == (64, 64)
    assert without.dtype == np.uint8
    added = with_it.astype(int) - without
    assert 20 < added.max() < 140
    assert added.min() >= -12
    assert 0.01 < (added > 10).mean() < 0.3
    np.testing.assert_array_equal(phantom(7, False, 64), without)
    assert (phantom(8, False, 64) != without).mean() > 0.5


def test_medmnist_files(tmp_path: Path) -> None:
    arrays = {
        f"{name}_{kind}": np.full((n, 28, 28) if kind == "images" else (n, 1), n, np.uint8) % 3
        for name, n in (("train", 4), ("val", 2), ("test", 3))
        for kind in ("images", "labels")
    }
    np.savez(tmp_path / "x.npz", allow_pickle=False, **arrays)
    loaded = medmnist(tmp_path / "x.npz")
    assert loaded.splits == ("train",) * 4 + ("tuning",) * 2 + ("held_out",) * 3
    assert loaded.images.shape == (9, 28, 28)
    assert loaded.labels.tolist() == [True] * 6 + [False] * 3
    assert loaded.patients[8] == "MEDMNIST-000008"
