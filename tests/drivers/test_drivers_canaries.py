"""A whole ingest of files full of canaries: none in tables, statistics, logs, plans, facts or on a screen."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import ray
from dicom.e11 import ALL
from dicom.test_dicom_deidentify_canaries import planted, taken_away
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID

from medray import config
from medray.drivers.images.ingest import ingest_archive
from medray.drivers.job import Job
from medray.narration import Narrator

pytestmark = pytest.mark.ray
FILES, BROKEN = 240, 24
WORDS = (b"JOHNSON", b"QZJ", b"19620314", b"112233.445566", b"1.9.87654")


def _file() -> bytes:
    made = Dataset()
    made = planted(made, taken_away(ALL))
    made.SOPClassUID, made.Modality = "1.2.840.10008.5.1.4.1.1.2", "CT"
    made.SOPInstanceUID, made.SeriesInstanceUID, made.StudyInstanceUID = "1.9.87654.1000", "1.9.87654.2", "1.9.87654.3"
    made.Rows, made.Columns, made.SamplesPerPixel, made.PhotometricInterpretation = 2, 3, 1, "MONOCHROME2"
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 16, 12, 11, 0
    made.PixelData = bytes(12)
    made["PixelData"].VR = "OW"
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = UID(made.SOPClassUID), UID("1.9.87654.1000")
    meta.TransferSyntaxUID = UID("1.2.840.10008.1.2.1")
    made.file_meta = meta
    stream = BytesIO()
    dcmwrite(stream, made, enforce_file_format=True)
    return b"QZJOHNSON preamble".ljust(128) + stream.getvalue()[128:]


def _write_archive(folder: Path) -> None:
    folder.mkdir()
    data = _file()
    for number in range(FILES):
        one = data.replace(b"1.9.87654.1000", b"1.9.87654.%04d" % (1000 + number))
        if number < BROKEN:
            one = one[: len(one) - 3 - number * 97] if number % 2 else one.replace(b"MONOCHROME2 ", b"QZJOHNSON 19")
        (folder / f"QZJOHNSON-{number}-19620314.dcm").write_bytes(one)


def _contents(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """Every file as it stands, and every Parquet file with its columns and metadata in clear."""
    for path in folder.rglob("*"):
        if not path.is_file() or path.is_symlink():
            continue
        yield path, path.read_bytes()
        if path.suffix == ".parquet":
            table = pq.read_table(path)
            yield path, repr(table.schema.metadata).encode() + repr(pq.read_metadata(path).to_dict()).encode()
            for column in table.columns:
                for chunk in column.chunks:
                    yield path, b"".join(buffer.to_pybytes() for buffer in chunk.buffers() if buffer)


def test_no_canary_leaves_an_ingest(ray_session: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    _write_archive(tmp_path / "archive")
    (tmp_path / "key").write_text("k" * 64)
    lake = tmp_path / "lake"
    document = {
        "job": "ingest_dicom", "name": "canaries", "lake": str(lake),
        "source": {"kind": "dicom", "uri": str(tmp_path / "archive"), "subject": "PatientID"},
        "deidentify": {"profile": "basic", "key": f"file:{tmp_path / 'key'}", "options": list(ALL)},
        "chunks": {"objects": 40},
    }  # fmt: skip
    result = ingest_archive(config.parse(document, "test"), Job("2026-01-01", Narrator()))  # type: ignore[arg-type]
    assert result.sums[0].parts == {"known": 0, "ingested": FILES - BROKEN, "duplicate": 0, "quarantined": BROKEN}
    shown = capfd.readouterr()
    found = [word for word in WORDS if word.decode() in shown.out + shown.err + repr(result)]
    assert not found, found
    session = Path(ray._private.worker._global_node.get_session_dir_path())
    seen = 0
    for folder in (lake, session):
        for path, data in _contents(folder):
            seen += 1
            leaked = [word for word in WORDS if word in data]
            assert not leaked, (path.name, leaked, data[max(data.index(leaked[0]) - 60, 0) :][:160])
    assert seen > 30
