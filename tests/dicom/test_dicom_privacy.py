"""Nothing identifying leaves: canaries in every place that could carry one."""

from __future__ import annotations

import logging
import struct
import warnings
from typing import Any

import imagecodecs
import numpy as np
import pyarrow as pa
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence

from medray.dicom.deidentify.policy import Clearance, Policy
from medray.dicom.examples import FOLDER
from medray.dicom.pixels import frame_arrays
from medray.dicom.scrub import scrub
from medray.errors import Unusable

CANARY = "CANARY"
CLEARED = Policy(cleared=(Clearance(reason="canaries", modality=CANARY),))
NUMBERS = ("19620314", "112233", "9.8.7.6.5")  # canaries where only digits fit


def _with_canaries(instance: Dataset) -> Dataset:
    for keyword in (
        "PatientName", "PatientID", "IssuerOfPatientID", "AccessionNumber", "StudyDescription",
        "SeriesDescription", "ProtocolName", "InstitutionName", "InstitutionAddress", "StationName",
        "Manufacturer", "ManufacturerModelName", "DeviceSerialNumber", "OperatorsName",
        "ReferringPhysicianName", "PatientComments", "ImageComments", "Modality",
        "BodyPartExamined", "ViewPosition", "ImageLaterality", "PatientPosition",
        "BurnedInAnnotation", "RescaleType", "VOILUTFunction", "PresentationLUTShape",
        "LossyImageCompression", "EthnicGroup", "DerivationDescription",
    ):  # fmt: skip
        setattr(instance, keyword, CANARY)
    instance.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL", CANARY, "DOE JOHN CANARY"]
    instance.PatientBirthDate = instance.StudyDate = instance.SeriesDate = NUMBERS[0]
    instance.StudyTime = instance.ContentTime = NUMBERS[1]
    instance.SOPInstanceUID = instance.StudyInstanceUID = instance.SeriesInstanceUID = NUMBERS[2]
    instance.SOPClassUID = instance.FrameOfReferenceUID = NUMBERS[2]
    block = instance.private_block(0x0011, "CANARY 1.0", create=True)
    block.add_new(1, "LO", CANARY)
    nested = Dataset()
    nested.PatientName = CANARY
    nested.LUTDescriptor, nested.LUTData, nested.LUTExplanation = [2, 0, 16], b"\0\0\xff\xff", CANARY
    instance.ModalityLUTSequence = Sequence([nested])
    instance.RequestAttributesSequence = Sequence([nested])
    return instance


def _bytes_of(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return bytes(sink.getvalue())


def test_no_canary_in_any_column(instance: Dataset, written: Any, ingest: Any) -> None:
    data = written(_with_canaries(instance))
    data = b"CANARY preamble".ljust(128) + data[128:]
    outcomes = ingest(data, policy=CLEARED)
    (table,) = outcomes.tables
    content = _bytes_of(table) + repr(outcomes.rows).encode()
    for canary in (CANARY, *NUMBERS, "DOE", "1962", "archive"):
        assert canary.encode() not in content
    assert outcomes.row["ImageType"] == ["ORIGINAL", "PRIMARY", "AXIAL", None, None]
    assert None not in [outcomes.row[name] for name in ("site_key", "scanner_key", "study_time")]


def test_no_canary_in_quarantine(instance: Dataset, written: Any, ingest: Any) -> None:
    made = _with_canaries(instance)
    for keyword in ("PhotometricInterpretation", "PixelSpacing", "RescaleSlope", "NumberOfFrames"):
        broken = Dataset({**dict(made.items())})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            broken.add_new(keyword, "LO", CANARY)
            outcomes = ingest(written(broken), policy=CLEARED)
        assert CANARY not in repr(outcomes.bad)
        assert [bad.reason for bad in outcomes.bad] == ([] if keyword == "PixelSpacing" else ["bad_pixel_header"])


def test_an_invented_transfer_syntax_does_not_leave(instance: Dataset, written: Any, ingest: Any) -> None:
    (bad,) = ingest(written(instance, NUMBERS[2])).bad
    assert (bad.reason, bad.transfer_syntax_uid) == ("unsupported_syntax", None)
    instance.PixelData = encapsulate([b"\0\0\1\xb3"])
    instance["PixelData"].is_undefined_length = True
    (bad,) = ingest(written(instance, "1.2.840.10008.1.2.4.100")).bad  # MPEG-2
    assert (bad.reason, bad.transfer_syntax_uid) == ("unsupported_syntax", "1.2.840.10008.1.2.4.100")


def test_pydicom_has_no_voice(
    instance: Dataset,
    written: Any,
    ingest: Any,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    plain = written(instance)
    at = plain.index(b"\x08\x00\x16\x00UI")
    odd = plain[:at] + b"\x08\x00\x05\x00CS\x0a\x00ISO_IR_999" + plain[at:]
    with warnings.catch_warnings(), caplog.at_level(logging.DEBUG):
        warnings.simplefilter("error")
        for name in ("badVR.dcm", "SC_rgb_jpeg.dcm", "empty_charset_LEI.dcm", "test-SR.dcm"):
            ingest((FOLDER / name).read_bytes())
        ingest(odd, written(instance))
    assert capfd.readouterr() == ("", "")
    assert caplog.text == ""


def test_links_are_the_only_way_back(instance: Dataset, written: Any, ingest: Any) -> None:
    instance.IssuerOfPatientID = "SITE"
    outcomes = ingest(written(instance), written(instance))
    row = outcomes.rows[0]
    found = {(link.kind, link.pseudonym, link.original) for link in outcomes.links}
    assert found == {
        ("subject", str(row["subject_id"]), "P1^^^SITE"),
        ("study", row["StudyInstanceUID"], "1.2.5"),
        ("series", row["SeriesInstanceUID"], "1.2.4"),
        ("instance", row["SOPInstanceUID"], "1.2.3"),
        ("source", row["source_key"], "s3://archive/0"),
        ("source", outcomes.rows[1]["source_key"], "s3://archive/1"),
    }
    assert len(outcomes.links) == len(found)


def _segment(marker: int, contents: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(contents) + 2) + contents


def _in_front(codestream: bytes, segment: bytes, at: int = 2) -> bytes:
    return codestream[:at] + segment + codestream[at:]


def _joined(codestream: bytes, kind: Any) -> bytes:
    return b"".join(scrub(codestream, kind))


GREY = np.arange(64, dtype=np.uint8).reshape(8, 8)


@pytest.mark.parametrize(
    ("syntax", "codestream", "segment", "at"),
    [
        ("1.2.840.10008.1.2.4.50", imagecodecs.jpeg8_encode(GREY, level=95), _segment(0xFE, b"CANARY"), 2),
        ("1.2.840.10008.1.2.4.50", imagecodecs.jpeg8_encode(GREY, level=95), _segment(0xE1, b"Exif CANARY"), 2),
        ("1.2.840.10008.1.2.4.50", imagecodecs.jpeg8_encode(GREY, level=95), _segment(0xE0, b"JFIF\0CANARY"), 2),
        ("1.2.840.10008.1.2.4.80", imagecodecs.jpegls_encode(GREY), _segment(0xE8, b"CANARY"), 2),
        (
            "1.2.840.10008.1.2.4.90",
            imagecodecs.jpeg2k_encode(GREY, level=0, codecformat="J2K", reversible=True),
            _segment(0x64, b"\0\1CANARY"),
            45 + 2 + 2,
        ),
    ],
)
def test_comments_of_codestreams_are_blank(
    syntax: str, codestream: bytes, segment: bytes, at: int, instance: Dataset, written: Any, ingest: Any
) -> None:
    instance.Rows = instance.Columns = 8
    instance.BitsAllocated, instance.BitsStored, instance.HighBit = 8, 8, 7

    def row(stream: bytes) -> dict[str, Any]:
        instance.PixelData = encapsulate([stream])
        instance["PixelData"].VR = "OB"
        instance["PixelData"].is_undefined_length = True
        found: dict[str, Any] = ingest(written(instance, syntax)).row
        return found

    if codestream[2:4] == b"\xff\x51":  # behind SIZ
        at = 4 + struct.unpack_from(">H", codestream, 4)[0]
    plain, marked = row(codestream), row(_in_front(codestream, segment, at))
    assert b"CANARY" in _in_front(codestream, segment, at)
    assert b"CANARY" not in marked["frames"]
    for left, right in zip(frame_arrays(plain), frame_arrays(marked), strict=True):
        np.testing.assert_array_equal(left, right)


def test_later_scans_and_fill_bytes_hide_nothing() -> None:
    codestream = bytes(imagecodecs.jpeg8_encode(GREY))
    later = codestream[:-2] + _segment(0xFE, b"CANARY") + codestream[-2:]
    assert _joined(later, "jpeg") == later.replace(b"CANARY", bytes(6))
    filled = codestream[:2] + b"\xff\xff" + _segment(0xFE, b"CANARY") + codestream[2:]
    assert _joined(filled, "jpeg") == filled.replace(b"CANARY", bytes(6))


def test_comments_in_a_tile_part_are_blank() -> None:
    wavelet = bytes(imagecodecs.jpeg2k_encode(GREY, level=0, codecformat="J2K", reversible=True))
    start, comment = wavelet.index(b"\xff\x90"), _segment(0x64, b"\0\1CANARY")
    (length,) = struct.unpack_from(">L", wavelet, start + 6)
    longer = wavelet[: start + 6] + struct.pack(">L", length + len(comment)) + wavelet[start + 10 :]
    marked = longer[: start + 12] + comment + longer[start + 12 :]
    assert b"CANARY" not in _joined(marked, "jpeg2000")
    np.testing.assert_array_equal(imagecodecs.jpeg2k_decode(_joined(marked, "jpeg2000")), GREY)


def test_segments_that_cannot_be_followed() -> None:
    for kind in ("jpeg", "jpegls", "jpeg2000"):
        with pytest.raises(Unusable, match="bad_frames"):
            scrub(b"\xff\xd8\xff\xe0\xff\xff" + bytes(9), kind)


def test_text_behind_the_image_is_dropped() -> None:
    codestream = bytes(imagecodecs.jpeg8_encode(GREY))
    assert _joined(codestream + b"CANARY", "jpeg") == codestream
    wavelet = bytes(imagecodecs.jpeg2k_encode(GREY, level=0, codecformat="J2K", reversible=True))
    assert b"CANARY" not in _joined(wavelet + b"CANARY", "jpeg2000")


def test_boxes_around_a_codestream_are_dropped(ingest: Any) -> None:
    data = (FOLDER / "GDCMJ2K_TextGBR.dcm").read_bytes()
    assert b"jP  " in data
    assert ingest(data, subject="image").row["frames"][:4] == b"\xff\x4f\xff\x51"
