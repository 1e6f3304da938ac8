"""What the tests of this room share: objects in, outcomes out, and a small instance to alter."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID, ExplicitVRLittleEndian

from medray.contracts import Bad, Good, Link, SourceObject
from medray.dicom.config import DicomConfig
from medray.dicom.deidentify.policy import Clearance, Policy
from medray.dicom.spec import SOURCE
from medray.privacy.pseudonyms import Pseudonyms

KINDS = (
    "", "CR", "CT", "DX", "ES", "MG", "MR", "NM", "OT", "PT", "RF", "RTDOSE", "RTIMAGE", "SC", "SM", "US", "XA", "XC",
)  # fmt: skip
SHOW_NO_ONE = Policy(
    cleared=tuple(Clearance(reason="images of the tests", modality=kind, burned_in_annotation="YES") for kind in KINDS)
)
Ingest = Callable[..., "Outcomes"]


class Outcomes:
    """Everything that `read` gave, sorted by kind."""

    def __init__(self, pieces: Sequence[Good | Bad | Link]) -> None:
        self.tables = [p.rows for p in pieces if isinstance(p, Good)]
        self.bad = [p for p in pieces if isinstance(p, Bad)]
        self.links = [p for p in pieces if isinstance(p, Link)]

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [row for table in self.tables for row in table.to_pylist()]

    @property
    def row(self) -> dict[str, Any]:
        """The only row of an object that is usable."""
        assert self.bad == []
        (row,) = self.rows
        return row

    @property
    def reason(self) -> str:
        """The only reason of an object that is not."""
        assert self.tables == []
        (bad,) = self.bad
        return bad.reason


@pytest.fixture
def ingest() -> Ingest:
    """Objects -> `Outcomes`, with a fixed key; keyword arguments go to the config. The images of these
    tests show no one, whatever their kind."""

    def run(*objects: bytes, subject: str = "PatientID", policy: Policy = SHOW_NO_ONE, **config: Any) -> Outcomes:
        listed = [SourceObject(f"s3://archive/{i}", len(data), f"{i}") for i, data in enumerate(objects)]
        contents = {item.uri: data for item, data in zip(listed, objects, strict=True)}
        settings = DicomConfig.model_validate({"subject": subject, **config})
        pseudonyms = Pseudonyms(b"0123456789abcdef0123456789abcdef")
        return Outcomes(list(SOURCE.read(listed, lambda item: contents[item.uri], pseudonyms, settings, policy)))

    return run


@pytest.fixture
def instance() -> Dataset:
    """A valid 2 x 3 instance of 16 bits, values 0 to 5, to be altered by a test."""
    made = Dataset()
    made.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    made.SOPInstanceUID, made.SeriesInstanceUID, made.StudyInstanceUID = "1.2.3", "1.2.4", "1.2.5"
    made.PatientID, made.Modality = "P1", "OT"
    made.Rows, made.Columns, made.SamplesPerPixel = 2, 3, 1
    made.PhotometricInterpretation = "MONOCHROME2"
    made.BitsAllocated, made.BitsStored, made.HighBit, made.PixelRepresentation = 16, 16, 15, 0
    made.PixelData = np.arange(6, dtype="<u2").tobytes()
    made["PixelData"].VR = "OW"
    return made


@pytest.fixture
def written() -> Callable[..., bytes]:
    """A data set -> the bytes of a file with preamble and meta group."""

    def run(data: Dataset, syntax: str = ExplicitVRLittleEndian) -> bytes:
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = UID("1.2.840.10008.5.1.4.1.1.7")
        meta.MediaStorageSOPInstanceUID = UID("1.2.3")
        # pydicom writes no syntax that is registered but newer than it: it is put in afterwards
        known = UID(syntax).is_private or UID(syntax).is_transfer_syntax
        stand_in = syntax if known else syntax.replace("1.2.840.10008", "1.2.840.10009")
        meta.TransferSyntaxUID = UID(stand_in)
        data.file_meta = meta
        stream = BytesIO()
        invented = {"implicit_vr": False, "little_endian": True} if UID(stand_in).is_private else {}
        dcmwrite(stream, data, enforce_file_format=True, **invented)
        return stream.getvalue().replace(stand_in.encode(), syntax.encode(), 1)

    return run
