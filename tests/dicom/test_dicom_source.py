"""What a chunk gives: order, pseudonyms, batches, and what one bad input may not do."""

from __future__ import annotations

import gc
import hashlib
import pickle
import weakref
from datetime import datetime, timedelta
from typing import Any

import imagecodecs
import numpy as np
import pyarrow as pa
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence

from medray.contracts import Bad, Good, SourceObject
from medray.dicom import batches, source
from medray.dicom.batches import binary_column
from medray.dicom.config import DicomConfig
from medray.dicom.deidentify.policy import Clearance, Policy
from medray.dicom.examples import FOLDER
from medray.dicom.spec import SOURCE
from medray.errors import Unusable
from medray.privacy.pseudonyms import Pseudonyms
from medray.schema.images import IMAGES

KEY = Pseudonyms(b"0123456789abcdef0123456789abcdef")
CT = (FOLDER / "CT_small.dcm").read_bytes()


def test_the_source_travels() -> None:
    assert pickle.loads(pickle.dumps(SOURCE)) == SOURCE
    assert (SOURCE.name, SOURCE.tables) == ("dicom", ("images",))


def test_config_refuses_what_it_does_not_know() -> None:
    with pytest.raises(ValueError, match="subject"):
        DicomConfig.model_validate({})
    with pytest.raises(ValueError, match="extra"):
        DicomConfig.model_validate({"subject": "image", "depth": 3})
    with pytest.raises(ValueError, match="part_bytes"):
        DicomConfig(subject="image", part_bytes=2**30 + 1)


def test_a_row_of_a_real_ct(ingest: Any) -> None:
    row, header = ingest(CT).row, pydicom.dcmread(FOLDER / "CT_small.dcm")
    assert set(row) == set(IMAGES.schema.names)
    assert row["input_sha256"] == hashlib.sha256(CT).hexdigest()
    assert (row["size_bytes"], row["input_version"], row["part_count"]) == (39206, 1, 1)
    assert row["subject_id"] == KEY.subject_id("", header.PatientID)
    assert row["SOPInstanceUID"] == KEY.uid(header.SOPInstanceUID) != header.SOPInstanceUID
    assert row["source_key"] == KEY.source_key("s3://archive/0")
    assert row["source_etag"] == KEY.etag("0")
    device = [header.Manufacturer, header.ManufacturerModelName, header.get("StationName", ""), ""]
    assert row["scanner_key"] == KEY.scanner_key(*device)
    assert row["site_key"] == KEY.site_key(header.InstitutionName)
    assert (row["Modality"], row["ImageType"]) == ("CT", ["ORIGINAL", "PRIMARY", "AXIAL"])
    assert (row["Rows"], row["Columns"], row["BitsAllocated"], row["PixelRepresentation"]) == (128, 128, 16, 1)
    assert (row["RescaleSlope"], row["RescaleIntercept"]) == (1.0, -1024.0)
    assert row["PixelSpacing"] == [0.661468, 0.661468]
    assert row["PixelPaddingValue"] == -2000
    assert row["SOPClassUID"] == "1.2.840.10008.5.1.4.1.1.2"


def test_dates_are_shifted_as_the_key_says(instance: Dataset, written: Any, ingest: Any) -> None:
    def study_time(date: str, time: str) -> datetime | None:
        instance.StudyDate, instance.StudyTime = date, time
        found: datetime | None = ingest(written(instance)).row["study_time"]
        return found

    subject = KEY.subject_id("", "P1")
    original = datetime(2020, 2, 3, 4, 5, 6, 700000)
    shifted = study_time("20200203", "040506.7")
    assert shifted == KEY.shift(subject, original)
    assert timedelta(days=1) <= original - shifted <= timedelta(days=364)
    assert study_time("20200203", "0405") == KEY.shift(subject, datetime(2020, 2, 3, 4, 5))
    assert study_time("20200203", "") == KEY.shift(subject, datetime(2020, 2, 3))
    assert study_time("", "040506") is None


@pytest.mark.parametrize("date", ["20201332", "2020", "yesterday", "00010101"])
def test_unreadable_dates_are_null(date: str, instance: Dataset, written: Any, ingest: Any) -> None:
    instance.add_new("StudyDate", "LO", date)
    assert ingest(written(instance)).row["study_time"] is None


def test_an_identified_lake_keeps_uids_and_dates(instance: Dataset, written: Any) -> None:
    instance.StudyDate = "20200203"
    data = written(instance)
    open_key = Pseudonyms(KEY.key, identified=True)
    config = DicomConfig(subject="PatientID")
    pieces = SOURCE.read([SourceObject("u", len(data), "")], lambda _: data, open_key, config)
    (row,) = next(p for p in pieces if isinstance(p, Good)).rows.to_pylist()
    assert (row["SOPInstanceUID"], row["study_time"]) == ("1.2.3", datetime(2020, 2, 3))


@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")  # pydicom warns as the broken UID is written
@pytest.mark.parametrize("keyword", ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"])
@pytest.mark.parametrize("value", ["", "not a uid", "1", "1." + "2" * 63, None])
def test_uids_are_needed(keyword: str, value: str | None, instance: Dataset, written: Any, ingest: Any) -> None:
    if value is None:
        del instance[keyword]
    else:
        instance.add_new(keyword, "UI", value)
    (bad,) = ingest(written(instance)).bad
    assert (bad.reason, bad.detail) == ("missing_uid", keyword)


def test_the_issuer_belongs_to_the_subject(instance: Dataset, written: Any, ingest: Any) -> None:
    instance.IssuerOfPatientID = "A"
    assert ingest(written(instance)).row["subject_id"] == KEY.subject_id("A", "P1")


def test_without_subjects_each_instance_is_one(instance: Dataset, written: Any, ingest: Any) -> None:
    assert ingest(written(instance), subject="image").row["subject_id"] == KEY.subject_id("", "1.2.3")


def test_words_outside_the_lists_are_null(instance: Dataset, written: Any, ingest: Any) -> None:
    instance.BodyPartExamined, instance.ViewPosition, instance.Modality = "CHEST", "PA", "DX"
    row = ingest(written(instance)).row
    assert (row["BodyPartExamined"], row["ViewPosition"], row["Modality"]) == ("CHEST", "PA", "DX")
    instance.BodyPartExamined, instance.ViewPosition, instance.Modality = "SMITH", "J", "ZZ"
    unknown = Policy(cleared=(Clearance(reason="a test", modality="ZZ"),))
    row = ingest(written(instance), policy=unknown).row
    assert (row["BodyPartExamined"], row["ViewPosition"], row["Modality"]) == (None, None, None)


def test_unreadable_geometry_is_null_and_unreadable_rescale_is_no_image(
    instance: Dataset, written: Any, ingest: Any
) -> None:
    instance.add_new("PixelSpacing", "LO", "wide")
    instance.add_new("WindowCenter", "LO", "middle")
    instance.add_new("InstanceNumber", "LO", "first")
    row = ingest(written(instance)).row
    assert (row["PixelSpacing"], row["WindowCenter"], row["InstanceNumber"]) == (None, None, None)
    instance.add_new("RescaleSlope", "LO", "steep")
    assert ingest(written(instance)).reason == "bad_pixel_header"


def _group(macro: str, **attributes: Any) -> Dataset:
    inner, outer = Dataset(), Dataset()
    for keyword, value in attributes.items():
        setattr(inner, keyword, value)
    setattr(outer, macro, Sequence([inner]))
    return outer


def test_enhanced_objects_give_their_shared_values(instance: Dataset, written: Any, ingest: Any) -> None:
    shared = _group("PixelMeasuresSequence", PixelSpacing=[0.5, 0.25], SliceThickness=3)
    instance.SharedFunctionalGroupsSequence = Sequence([shared])
    scaled = [_group("PixelValueTransformationSequence", RescaleSlope=2, RescaleIntercept=i) for i in (1, 1)]
    instance.PerFrameFunctionalGroupsSequence = Sequence(scaled)
    row = ingest(written(instance)).row
    assert (row["PixelSpacing"], row["SliceThickness"]) == ([0.5, 0.25], 3)
    assert (row["RescaleSlope"], row["RescaleIntercept"]) == (2, 1)
    scaled[1].PixelValueTransformationSequence[0].RescaleIntercept = 5
    assert ingest(written(instance)).reason == "bad_pixel_header"
    windows = [_group("FrameVOILUTSequence", WindowCenter=c, WindowWidth=9) for c in (1, 2)]
    instance.PerFrameFunctionalGroupsSequence = Sequence(windows)
    row = ingest(written(instance)).row
    assert (row["WindowCenter"], row["RescaleSlope"]) == (None, None)


def test_order_is_kept_and_one_bad_input_stops_nothing(ingest: Any) -> None:
    mr = (FOLDER / "MR_small.dcm").read_bytes()
    outcomes = ingest(CT, b"", mr, b"text", CT)
    assert [row["source_key"] for row in outcomes.rows] == [KEY.source_key(f"s3://archive/{i}") for i in (0, 2, 4)]
    assert [(bad.source_key, bad.reason) for bad in outcomes.bad] == [
        (KEY.source_key("s3://archive/1"), "empty"),
        (KEY.source_key("s3://archive/3"), "not_dicom"),
    ]
    assert len([link for link in outcomes.links if link.kind == "source"]) == 5


def _read(fetch: Any, size: int) -> list[Any]:
    item = SourceObject("u", size, "e")
    return [p for p in SOURCE.read([item], fetch, KEY, DicomConfig(subject="image")) if isinstance(p, Bad)]


def test_what_cannot_be_fetched_is_quarantined() -> None:
    def fetch(_: SourceObject) -> bytes:
        raise Unusable("unreadable", "3 of 9 bytes")

    (bad,) = _read(fetch, 9)
    assert (bad.reason, bad.detail, bad.size_bytes, bad.source_etag) == ("unreadable", "3 of 9 bytes", 9, KEY.etag("e"))
    (bad,) = _read(lambda _: CT[:-2], len(CT))
    assert (bad.reason, bad.detail) == ("unreadable", "39204 bytes fetched, 39206 listed")


def test_an_object_above_the_limit_is_not_fetched() -> None:
    (bad,) = _read(lambda _: pytest.fail("fetched"), 2**31 + 1)
    assert bad.reason == "too_large"


@pytest.mark.parametrize(
    ("error", "reason"),
    [(MemoryError(), "too_large"), (RecursionError(), "too_deep"), (ValueError("SMITH"), "malformed")],
)
def test_whatever_a_reader_raises_has_a_reason(error: Exception, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(source, "read_instance", fail)
    (bad,) = _read(lambda _: CT, len(CT))
    assert (bad.reason, bad.detail) == (reason, type(error).__name__)


def test_batches_are_bounded_in_bytes(ingest: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    size = len(ingest(CT).row["frames"])
    monkeypatch.setattr(batches, "BATCH_BYTES", 2 * size)
    assert [table.num_rows for table in ingest(*[CT] * 5).tables] == [2, 2, 1]
    monkeypatch.setattr(batches, "BATCH_BYTES", size - 1)
    assert [table.num_rows for table in ingest(*[CT] * 2).tables] == [1, 1]


def test_rows_have_the_schema_of_the_table(ingest: Any) -> None:
    (table,) = ingest(CT).tables
    assert table.schema.equals(IMAGES.schema)
    table.validate(full=True)


def test_the_binary_column_keeps_nothing_alive() -> None:
    class Watched(np.ndarray[Any, Any]):
        """An array that can be watched: memoryviews of it keep it alive."""

    frames = np.arange(1000, dtype=np.uint8).view(Watched)
    watch = weakref.ref(frames)
    view = frames.data
    column = binary_column([[view[:500]], [view[:500], view[500:]], [b"ab", b""], []])
    assert column.type == pa.binary()
    assert column.to_pylist() == [frames[:500].tobytes(), frames.tobytes(), b"ab", b""]
    del frames, view, column
    gc.collect()
    assert watch() is None


def test_verified_instances_that_cannot_be_decoded_are_refused_at_ingest(
    instance: Dataset, written: Any, ingest: Any
) -> None:
    codestream = imagecodecs.jpegls_encode(np.arange(4096, dtype=np.uint8).reshape(64, 64) % 251)
    instance.Rows = instance.Columns = 64
    instance.BitsAllocated, instance.BitsStored, instance.HighBit = 8, 8, 7

    def file(frame: bytes) -> bytes:
        instance.PixelData = encapsulate([frame])
        instance["PixelData"].VR, instance["PixelData"].is_undefined_length = "OB", True
        data: bytes = written(instance, "1.2.840.10008.1.2.4.80")
        return data

    whole, holed = file(codestream), file(codestream[: len(codestream) // 2] + codestream[-2:])  # it ends as it must
    kept = ingest(whole, holed)
    assert (len(kept.rows), kept.bad) == (2, [])
    verified = ingest(whole, holed, verify=1)
    assert verified.rows == kept.rows[:1]
    assert [bad.reason for bad in verified.bad] == ["decode_failed"]


def test_the_share_that_is_verified_follows_from_the_bytes() -> None:
    chosen = [source._chosen(f"{number << 24:08x}" + "0" * 56, 0.25) for number in range(256)]
    assert chosen == [number < 64 for number in range(256)]
