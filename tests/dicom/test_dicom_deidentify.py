"""Headers without identity: what stays, what changes, and that the encoding makes no difference."""

from __future__ import annotations

import warnings
from io import BytesIO
from typing import Any

import pytest
from dicom.e11 import ALL
from pydicom import config as pydicom_config
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.sequence import Sequence

from medray.dicom.deidentify.policy import Clearance, Policy
from medray.dicom.examples import example_files

SYNTAXES = ("1.2.840.10008.1.2.1", "1.2.840.10008.1.2", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99")
OTHER = (Clearance(reason="a test", modality="OT"),)


def read_back(header: bytes) -> Dataset:
    """The data set of a header; pydicom warns of nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = read_dataset(BytesIO(header), is_implicit_VR=False, is_little_endian=True)
        for element in found.iterall():
            _ = element.value
    return found


def in_syntax(made: Dataset, syntax: str, written: Any) -> bytes:
    """The file; pydicom leaves the bytes of words in the order in which it is given them."""
    big = syntax == SYNTAXES[2]
    made.ModalityLUTSequence[0].LUTData = b"\0\1\0\2\0\3" if big else b"\1\0\2\0\3\0"
    data: bytes = written(made, syntax)
    return data


def rich(made: Dataset) -> Dataset:
    """The instance with every kind of element that survives, and some that do not."""
    made.SpecificCharacterSet, made.ImageType = "ISO_IR 100", ["ORIGINAL", "PRIMARY"]
    made.PatientName, made.PatientBirthDate, made.PatientSex, made.PatientAge = "Doe^Jane", "19600101", "F", "093Y"
    made.PatientWeight, made.AccessionNumber, made.InstitutionName = 71.5, "A000123", "Synthetic Hospital"
    made.StudyDate = made.SeriesDate = "20240117"
    made.StudyTime, made.AcquisitionDateTime, made.TimezoneOffsetFromUTC = "101112.5", "20240301093000.5+0100", "+0100"
    made.StudyDescription, made.SeriesDescription = "CT Chest w contrast", "Thorax Doe 1.5mm axial"
    made.Manufacturer, made.ManufacturerModelName, made.SoftwareVersions = "SIEMENS", "Somatom X.cite", ["VB20A", "1"]
    made.StationName, made.DeviceSerialNumber, made.ConvolutionKernel = "CTAWP4711", "99881", "Br40f"
    made.FrameOfReferenceUID, made.KVP, made.SeriesNumber = "1.2.3.9", 120, 4
    made.ImagePositionPatient, made.WindowCenter = [-1.5, 2, 3], 40
    made.FrameIncrementPointer, made.RecommendedDisplayFrameRate = 0x00181063, 3
    code, reference = Dataset(), Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "51185008", "SCT", "Chest"
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", "1.2.3.77"
    reference.PurposeOfReferenceCodeSequence, reference.ReferencedFrameNumber = Sequence([code]), [1, 2]
    made.ReferencedImageSequence, made.AnatomicRegionSequence = Sequence([reference, Dataset()]), Sequence([code])
    table = Dataset()
    table.LUTDescriptor, table.ModalityLUTType, table.LUTData = [3, 0, 16], "HU", b"\1\0\2\0\3\0"
    table["LUTDescriptor"].VR, table["LUTData"].VR = "US", "OW"
    made.ModalityLUTSequence, made.VOILUTSequence = Sequence([table]), Sequence()
    made.private_block(0x7053, "Philips PET Private Group", create=True).add_new(0x00, "DS", "0.5")
    made.private_block(0x0021, "NOBODY KNOWS", create=True).add_new(0x01, "LO", "text")
    return made


@pytest.mark.parametrize("options", [(), ALL])
def test_the_encoding_makes_no_difference(options: Any, instance: Dataset, written: Any, ingest: Any) -> None:
    made = rich(instance)
    policy = Policy(options=options, cleared=OTHER)
    headers = [ingest(in_syntax(made, syntax, written), policy=policy).row["header"] for syntax in SYNTAXES]
    assert len(read_back(headers[0])) > 40
    assert headers[1:] == headers[:1] * 3


def test_delimited_sequences_make_no_difference(instance: Dataset, written: Any, ingest: Any) -> None:
    made = rich(instance)
    plain = ingest(written(made), policy=Policy(options=ALL, cleared=OTHER)).row["header"]
    for element in made.iterall():
        if element.VR == "SQ":
            element.is_undefined_length = True
            for item in element.value:
                item.is_undefined_length_sequence_item = True
    for syntax in SYNTAXES:
        assert (
            ingest(in_syntax(made, syntax, written), policy=Policy(options=ALL, cleared=OTHER)).row["header"] == plain
        )


def test_what_the_strictest_profile_leaves(instance: Dataset, written: Any, ingest: Any) -> None:
    row = ingest(written(rich(instance)), policy=Policy(cleared=OTHER)).row
    header = read_back(row["header"])
    assert (header.PatientID, header.PatientName) == (str(row["subject_id"]), f"Subject^{row['subject_id']}")
    for keyword in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"):
        assert header[keyword].value == row[keyword]
    assert header.SOPClassUID == "1.2.840.10008.5.1.4.1.1.7"
    for keyword in ("PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "AccessionNumber"):
        assert header[keyword].is_empty, keyword
    for keyword in ("PatientAge", "StudyDescription", "PatientWeight", "TimezoneOffsetFromUTC"):
        assert keyword not in header, keyword
    assert (header.StationName, header.InstitutionName) == ("REMOVED", "REMOVED")
    assert (header.Manufacturer, header.ConvolutionKernel, header.KVP) == ("SIEMENS", "Br40f", 120)
    assert header.ImageType == ["ORIGINAL", "PRIMARY"]
    assert header.ModalityLUTSequence[0].LUTData == b"\1\0\2\0\3\0"
    assert (row["PatientSex"], row["age_years"]) == (None, None)
    assert not [element for element in header if element.tag.is_private]
    reference = header.ReferencedImageSequence[0]
    assert reference.ReferencedSOPClassUID == "1.2.840.10008.5.1.4.1.1.2"
    assert reference.ReferencedSOPInstanceUID.startswith("2.25.")
    assert reference.PurposeOfReferenceCodeSequence[0].CodeMeaning == "Chest"


def test_what_the_options_leave(instance: Dataset, written: Any, ingest: Any) -> None:
    row = ingest(written(rich(instance)), policy=Policy(options=ALL, cleared=OTHER)).row
    header = read_back(row["header"])
    assert (header.PatientSex, header.PatientAge, header.PatientWeight) == ("F", "090Y", 71.5)
    assert (row["PatientSex"], row["age_years"]) == ("F", 90.0)
    assert header.StudyDate == header.SeriesDate == row["study_time"].strftime("%Y%m%d") != "20240117"
    assert header.StudyTime == "101112.5"
    assert header.AcquisitionDateTime[8:] == "093000.5+0100"
    assert header.TimezoneOffsetFromUTC == "+0100"
    assert header.StudyDescription == "CT Chest w contrast"
    assert header.SeriesDescription == "Thorax 1.5mm axial"
    assert (header.StationName, header.DeviceSerialNumber) == ("CTAWP4711", "99881")
    assert header[0x70531000].value == 0.5
    assert [element.tag for element in header if element.tag.is_private] == [0x70530010, 0x70531000]


def test_a_header_says_how_it_was_made(instance: Dataset, written: Any, ingest: Any) -> None:
    options = ("retain_device", "clean_descriptors")
    header = read_back(ingest(written(rich(instance)), policy=Policy(options=options, cleared=OTHER)).row["header"])
    assert (header.PatientIdentityRemoved, header.LongitudinalTemporalInformationModified) == ("YES", "REMOVED")
    codes = [code.CodeValue for code in header.DeidentificationMethodCodeSequence]
    assert codes == ["113100", "113105", "113109"]
    moved = Policy(options=("retain_longitudinal_modified_dates",), cleared=OTHER)
    header = read_back(ingest(written(instance), policy=moved).row["header"])
    assert header.LongitudinalTemporalInformationModified == "MODIFIED"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("CT Thorax/Abdomen mit KM", "CT Thorax/Abdomen KM"),
        ("T2 TSE sag 3.0mm", "T2 TSE sag 3.0mm"),
        ("DWI_b1000_ADC", "DWI_b1000_ADC"),
        ("Chest PA for Mr. Miller, 04.05.1962", "Chest PA for Mr"),
        ("HEAD 14 MAR 1962", "HEAD"),
        ("knee call 555-123-4567", "knee"),
        ("liver j.doe@site.org", "liver"),
        ("MRN 1234567 brain", "brain"),
        ("brain of Jane", "brain of"),
        ("Pelvis M\u00fcller", "Pelvis"),
        ("HIRSCHSPRUNG", ""),
        ("Thorax 14 March 1962", "Thorax"),
        ("spine synthetic hospital", "spine"),
    ],
)
def test_descriptors_keep_words_that_name_no_one(
    text: str, left: str, instance: Dataset, written: Any, ingest: Any
) -> None:
    made = rich(instance)
    made.SeriesDescription = text
    policy = Policy(options=("clean_descriptors",), cleared=OTHER)
    assert read_back(ingest(written(made), policy=policy).row["header"]).SeriesDescription == left


def test_a_known_word_that_is_the_patients_name_goes(instance: Dataset, written: Any, ingest: Any) -> None:
    made = rich(instance)
    made.PatientName, made.ReferringPhysicianName = "Long^Heart", "Small^Foot"
    made.SeriesDescription, made.Manufacturer = "heart long axis foot", "Foot Systems"
    made.ManufacturerModelName = "A000123-9"
    policy = Policy(options=("clean_descriptors",), cleared=OTHER)
    header = read_back(ingest(written(made), policy=policy).row["header"])
    assert (header.SeriesDescription, header.Manufacturer, header.ManufacturerModelName) == ("axis", "", "")


def test_values_that_are_not_what_their_attribute_says_go(instance: Dataset, written: Any, ingest: Any) -> None:
    made = rich(instance)
    made.add_new("KVP", "LO", "Miller")
    made.add_new("EchoTime", "OB", b"Miller")
    made.add_new("SliceThickness", "DS", "1.0")
    made.add_new("BodyPartExamined", "PN", "Miller")
    data = written(made).replace(b"DS\x04\x001.0 ", b"DS\x04\x00Mill")
    header = read_back(ingest(data, policy=Policy(options=ALL, cleared=OTHER)).row["header"])
    assert not {"KVP", "EchoTime", "BodyPartExamined"} & set(header.dir())
    assert header["SliceThickness"].is_empty


def test_opaque_sequences_are_walked(instance: Dataset, written: Any, ingest: Any) -> None:
    made = rich(instance)
    plain = ingest(written(made), policy=Policy(cleared=OTHER)).row["header"]
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "51185008", "SCT", "Chest"
    items = Dataset()
    items.AnatomicRegionSequence = Sequence([item])
    items.PatientComments = "Miller"
    buffer = written(Dataset({**dict(made.items()), **dict(items.items())}), SYNTAXES[1])
    at = buffer.index(b"\x08\x00\x18\x22") + 4
    length = int.from_bytes(buffer[at : at + 4], "little")
    value = buffer[at + 4 : at + 4 + length]
    del made.AnatomicRegionSequence
    made.add_new(0x00082219, "OB", b"")
    explicit = written(made)
    place = explicit.index(b"\x08\x00\x19\x22")
    opaque = b"\x08\x00\x18\x22UN\0\0" + len(value).to_bytes(4, "little") + value
    data = explicit[:place] + opaque + explicit[place + 12 :]
    assert ingest(data, policy=Policy(cleared=OTHER)).row["header"] == plain
    broken = data.replace(value, b"\xff" * len(value))
    assert b"\x18\x22" not in ingest(broken, policy=Policy(cleared=OTHER)).row["header"]


def test_top_level_out_of_order_and_twice(instance: Dataset, written: Any, ingest: Any) -> None:
    made = rich(instance)
    plain = written(made)
    expected = ingest(plain, policy=Policy(cleared=OTHER)).row["header"]
    at = plain.index(b"\x18\x00\x60\x00DS")
    kvp = plain[at : at + 14]
    moved = plain[:at] + plain[at + 14 :]
    last = moved.index(b"\xe0\x7f\x10\x00")
    shuffled = moved[:last] + kvp.replace(b"120", b"110") + kvp + moved[last:]
    assert ingest(shuffled, policy=Policy(cleared=OTHER)).row["header"] == expected


def test_every_example_reads_back_without_its_identity(ingest: Any) -> None:
    """pydicom reads each header without a warning, and no original UID, id or name occurs in it."""
    seen = 0
    for path in example_files():
        data = path.read_bytes()
        for subject in ("PatientID", "image"):
            outcomes = ingest(data, subject=subject, policy=Policy(options=ALL, cleared=_all_kinds()))
            for row in outcomes.rows:
                header = read_back(row["header"])
                assert header.PatientID == str(row["subject_id"])
                assert all(a.tag < b.tag for a, b in zip(list(header), list(header)[1:], strict=False))
                seen += 1
                for original in _originals(data):
                    assert original not in row["header"], path.name
    assert seen > 100


def _all_kinds() -> tuple[Clearance, ...]:
    from dicom.conftest import SHOW_NO_ONE

    return SHOW_NO_ONE.cleared


def _originals(data: bytes) -> set[bytes]:
    """Identifiers of a file, long enough to mean something."""
    from pydicom import dcmread

    with warnings.catch_warnings(), pydicom_config.disable_value_validation():
        warnings.simplefilter("ignore")
        found = dcmread(BytesIO(data), force=True, stop_before_pixels=True)
        keywords = ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID", "PatientID", "PatientName")
        texts = {str(found.get(keyword) or "") for keyword in (*keywords, "FrameOfReferenceUID", "AccessionNumber")}
    return {text.encode("latin-1", "ignore") for text in texts if len(text) > 5}


def test_an_identified_lake_keeps_the_header_as_received(instance: Dataset, written: Any) -> None:
    from medray.contracts import Good, SourceObject
    from medray.dicom.config import DicomConfig
    from medray.dicom.spec import SOURCE
    from medray.privacy.pseudonyms import Pseudonyms

    made, headers = rich(instance), []
    for syntax in SYNTAXES:
        data = in_syntax(made, syntax, written)
        item, config = SourceObject("u", len(data), ""), DicomConfig(subject="PatientID")
        open_key = Pseudonyms(b"k" * 32, identified=True)
        (good,) = (
            p for p in SOURCE.read([item], lambda _, data=data: data, open_key, config, Policy()) if isinstance(p, Good)
        )
        headers.append(good.rows.to_pylist()[0]["header"])
    found = read_back(headers[0])
    assert (found.PatientName, found.PatientAge, found.StudyDate) == ("Doe^Jane", "093Y", "20240117")
    assert found[0x00211001].value == "text"
    for header in headers[1:]:
        again = read_back(header)
        assert {e.tag: e.value for e in again if not e.tag.is_private} == {
            e.tag: e.value for e in found if not e.tag.is_private
        }


def test_ages(instance: Dataset, written: Any, ingest: Any) -> None:
    policy = Policy(options=("retain_patient_characteristics",), cleared=OTHER)

    def age(text: str, born: str = "", studied: str = "") -> float | None:
        instance.add_new("PatientAge", "LO", text)
        instance.PatientBirthDate, instance.StudyDate = born, studied
        found: float | None = ingest(written(instance), policy=policy).row["age_years"]
        return found

    assert [age("064Y"), age("089Y"), age("090Y"), age("101Y"), age("006M")] == [64, 89, 90, 90, 0.5]
    assert [age("", "19600101", "20240101"), age("", "19600102", "20240101"), age("", "19000102", "20240101")] == [
        64,
        63,
        90,
    ]
    assert [age("", "20240101", "20240401"), age(""), age("", "20240101", "20230401"), age("999")] == [
        0.25,
        None,
        None,
        None,
    ]
