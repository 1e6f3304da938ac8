"""Every real file that comes with pydicom ends where a person who looked at it says it must."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.pixels.processing import apply_color_lut
from pydicom.pixels.utils import pixel_array

from medray.dicom.examples import FOLDER, copy_examples, example_files
from medray.dicom.pixels import frame_arrays
from medray.dicom.syntaxes import SYNTAXES
from medray.errors import Unusable

# A reason, or (frames and shape, dtype, value in the middle of the last frame, sum of all values).
# Hand-checked against pydicom's README of these files: which are cut short, which lack identifiers,
# which are no images. All forms of one image (MR_small*, SC_rgb_rle*, rtdose*) have one sum.
EXPECTED: dict[str, Any] = {
    "693_J2KI.dcm": ((1, 512, 512), "int16", 1056, -2181784),
    "CT_small.dcm": ((1, 128, 128), "int16", 1928, 14826310),
    "ExplVR_BigEnd.dcm": ((1, 60, 80, 3), "uint8", [255, 255, 0], 2470716),
    "ExplVR_BigEndNoMeta.dcm": "no_pixels",
    "ExplVR_LitEndNoMeta.dcm": "no_pixels",
    "GDCMJ2K_TextGBR.dcm": ((1, 400, 400, 3), "uint8", [128, 128, 128], 59729223),
    "J2K_pixelrep_mismatch.dcm": ((1, 512, 512), "int16", 27, -172605258),
    "JPEG-lossy.dcm": ((1, 1024, 256), "uint16", 14, 3767007),
    "JPEG2000-embedded-sequence-delimiter.dcm": "decode_failed",
    "JPEG2000.dcm": ((1, 1024, 256), "int16", 7, 3527976),
    "JPEGLSNearLossless_08.dcm": "missing_uid",
    "JPEGLSNearLossless_16.dcm": "missing_uid",
    "JPGExtended.dcm": ((1, 1024, 256), "uint16", 14, 3767007),
    "MR_small.dcm": ((1, 64, 64), "int16", 182, 2125338),
    "MR_small_RLE.dcm": ((1, 64, 64), "int16", 182, 2125338),
    "MR_small_bigendian.dcm": ((1, 64, 64), "int16", 182, 2125338),
    "MR_small_expb.dcm": ((1, 64, 64), "int16", 182, 2125338),
    "MR_small_implicit.dcm": ((1, 64, 64), "int16", 182, 2125338),
    "MR_small_jp2klossless.dcm": ((1, 64, 64), "int16", 182, 2125338),
    "MR_small_jpeg_ls_lossless.dcm": ((1, 64, 64), "int16", 182, 2125338),
    "MR_small_padded.dcm": ((1, 64, 64), "int16", 182, 2125338),
    "MR_truncated.dcm": "truncated",
    "README.txt": "not_dicom",
    "SC_jpeg_no_color_transform.dcm": ((1, 256, 256, 3), "uint8", [244, 244, 244], 47966767),
    "SC_jpeg_no_color_transform_2.dcm": ((1, 256, 256, 3), "uint8", [244, 244, 246], 48294002),
    "SC_rgb_dcmtk_+eb+cr.dcm": ((1, 100, 100, 3), "uint8", [129, 129, 255], 3832200),
    "SC_rgb_dcmtk_+eb+cy+n1.dcm": ((1, 100, 100, 3), "uint8", [128, 124, 255], 3826350),
    "SC_rgb_dcmtk_+eb+cy+n2.dcm": ((1, 100, 100, 3), "uint8", [125, 130, 255], 3832000),
    "SC_rgb_dcmtk_+eb+cy+np.dcm": ((1, 100, 100, 3), "uint8", [128, 124, 255], 3826350),
    "SC_rgb_dcmtk_+eb+cy+s2.dcm": ((1, 100, 100, 3), "uint8", [125, 130, 255], 3832000),
    "SC_rgb_dcmtk_+eb+cy+s4.dcm": ((1, 100, 100, 3), "uint8", [125, 130, 255], 3832000),
    "SC_rgb_gdcm_KY.dcm": ((1, 100, 100, 3), "uint8", [128, 128, 255], 3831000),
    "SC_rgb_jls_lossy_line.dcm": "missing_uid",
    "SC_rgb_jls_lossy_sample.dcm": "missing_uid",
    "SC_rgb_jpeg.dcm": ((1, 256, 256, 3), "uint8", [244, 244, 244], 47966767),
    "SC_rgb_jpeg_app14_dcmd.dcm": ((1, 256, 256, 3), "uint8", [244, 244, 246], 48294002),
    "SC_rgb_jpeg_dcmd.dcm": ((1, 256, 256, 3), "uint8", [244, 244, 244], 47966767),
    "SC_rgb_jpeg_dcmtk.dcm": ((1, 100, 100, 3), "uint8", [125, 130, 255], 3832000),
    "SC_rgb_jpeg_gdcm.dcm": ((1, 100, 100, 3), "uint8", [128, 128, 255], 3831000),
    "SC_rgb_jpeg_lossy_gdcm.dcm": ((1, 100, 100, 3), "uint8", [124, 124, 255], 3825850),
    "SC_rgb_rle.dcm": ((1, 100, 100, 3), "uint8", [128, 128, 255], 3831000),
    "SC_rgb_rle_16bit.dcm": ((1, 100, 100, 3), "uint16", [32896, 32896, 65535], 984567000),
    "SC_rgb_rle_16bit_2frame.dcm": ((2, 100, 100, 3), "uint16", [32639, 32639, 0], 1966050000),
    "SC_rgb_rle_2frame.dcm": ((2, 100, 100, 3), "uint8", [127, 127, 0], 7650000),
    "SC_rgb_rle_32bit.dcm": ((1, 100, 100, 3), "uint32", [2155905152, 2155905152, 4294967295], 64525567479000),
    "SC_rgb_rle_32bit_2frame.dcm": ((2, 100, 100, 3), "uint32", [2139062143, 2139062143, 0], 128849018850000),
    "SC_rgb_small_odd.dcm": ((1, 3, 3, 3), "uint8", [63, 87, 176], 3477),
    "SC_rgb_small_odd_big_endian.dcm": ((1, 3, 3, 3), "uint8", [63, 87, 176], 3477),
    "SC_rgb_small_odd_jpeg.dcm": ((1, 3, 3, 3), "uint8", [62, 87, 179], 3465),
    "SC_ybr_full_422_uncompressed.dcm": ((1, 100, 100, 3), "uint8", [125, 130, 255], 3832000),
    "UN_sequence.dcm": "no_pixels",
    "badVR.dcm": "bad_pixel_header",
    "crayons.icc": "not_dicom",
    "empty_charset_LEI.dcm": "no_pixels",
    "examples_jpeg2k.dcm": ((1, 480, 640, 3), "uint8", [12, 12, 12], 31821736),
    "examples_overlay.dcm": ((1, 300, 484), "uint16", 136, 27833052),
    "examples_palette.dcm": ((1, 350, 800, 3), "uint16", [256, 256, 256], 4406822400),
    "examples_rgb_color.dcm": ((1, 240, 320, 3), "uint8", [10, 10, 10], 7895026),
    "examples_ybr_color.dcm": ((30, 240, 320, 3), "uint8", [8, 8, 8], 72512675),
    "image_dfl.dcm": ((1, 512, 512), "uint8", 65, 33322688),
    "liver_1frame.dcm": ((1, 512, 512), "uint8", 1, 36233),
    "liver_expb_1frame.dcm": ((1, 512, 512), "uint8", 1, 36233),
    "meta_missing_tsyntax.dcm": "missing_uid",
    "nested_priv_SQ.dcm": "missing_uid",
    "no_meta.dcm": "not_dicom",
    "no_meta_group_length.dcm": "no_pixels",
    "priv_SQ.dcm": "no_pixels",
    "reportsi.dcm": "no_pixels",
    "reportsi_with_empty_number_tags.dcm": "no_pixels",
    "rtdose.dcm": ((15, 10, 10), "uint32", 982000, 1519910000),
    "rtdose_1frame.dcm": ((1, 10, 10), "uint32", 978000, 101378000),
    "rtdose_expb.dcm": ((15, 10, 10), "uint32", 982000, 1519910000),
    "rtdose_expb_1frame.dcm": ((1, 10, 10), "uint32", 978000, 101378000),
    "rtdose_rle.dcm": ((15, 10, 10), "uint32", 982000, 1519910000),
    "rtdose_rle_1frame.dcm": ((1, 10, 10), "uint32", 978000, 101378000),
    "rtplan.dcm": "no_pixels",
    "rtplan.dump": "not_dicom",
    "rtplan_truncated.dcm": "truncated",
    "rtstruct.dcm": "no_pixels",
    "rtstruct.dump": "not_dicom",
    "test-SR.dcm": "no_pixels",
    "test1.json": "not_dicom",
    "test_PN.json": "not_dicom",
    "waveform_ecg.dcm": "no_pixels",
    "zipMR.gz": "not_dicom",
    "dicomdirtests/DICOMDIR": "no_pixels",
    "dicomdirtests/DICOMDIR-bigEnd": "no_pixels",
    "dicomdirtests/DICOMDIR-empty.dcm": "no_pixels",
    "dicomdirtests/DICOMDIR-implicit": "no_pixels",
    "dicomdirtests/DICOMDIR-nooffset": "truncated",
    "dicomdirtests/DICOMDIR-nopatient": "no_pixels",
    "dicomdirtests/DICOMDIR-reordered": "no_pixels",
    "dicomdirtests/README.txt": "not_dicom",
}
# Sets of small valid images, and one of 50 headers without pixels.
FOLDERS = {
    "dicomdirtests/77654033/": "image",
    "dicomdirtests/98892001/": "image",
    "dicomdirtests/98892003/": "image",
    "dicomdirtests/TINY_ALPHA/PT": "no_pixels",
    "dicomdirtests/TINY_ALPHA/README": "not_dicom",
    "dicomdirtests/TINY_ALPHA/DICOMDIR": "no_pixels",
}
# Decoders of pydicom that a fresh machine has; the others need a package that medray does without.
PLUGINS = {"jpeg": "pillow", "jpeg2000": "pylibjpeg", "rle": "pydicom", "native": ""}


def name_of(path: Path) -> str:
    return path.relative_to(FOLDER).as_posix()


def expected_of(name: str) -> Any:
    if name in EXPECTED:
        return EXPECTED[name]
    return next(outcome for folder, outcome in FOLDERS.items() if name.startswith(folder))


@pytest.mark.parametrize("path", example_files(), ids=name_of)
def test_every_file_is_accounted_for(path: Path, ingest: Any) -> None:
    expected, data = expected_of(name_of(path)), path.read_bytes()
    outcomes = ingest(data, subject="image")
    if outcomes.bad:
        assert outcomes.reason == expected
        return
    if expected == "decode_failed":
        with pytest.raises(Unusable, match=expected):
            list(frame_arrays(outcomes.row))
        return
    frames = np.stack(list(frame_arrays(outcomes.row)))
    if expected != "image":
        probe = frames[-1, frames.shape[1] // 2, frames.shape[2] // 2].tolist()
        assert (frames.shape, str(frames.dtype), probe, int(frames.sum(dtype=np.int64))) == expected


def is_image(path: Path) -> bool:
    expected = expected_of(name_of(path))
    return expected == "image" or not isinstance(expected, str)


IMAGES = [path for path in example_files() if is_image(path)]


@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")  # what the reference decoder says of these files
@pytest.mark.parametrize("path", IMAGES, ids=name_of)
def test_values_equal_those_of_pydicom(path: Path, ingest: Any) -> None:
    data = pydicom.dcmread(path)
    ours = np.stack(list(frame_arrays(ingest(path.read_bytes(), subject="image").row)))
    try:
        theirs = _by_pydicom(data)
    except (RuntimeError, KeyError):
        pytest.skip("pydicom has no decoder for it without further packages")
    assert ours.dtype == theirs.dtype.newbyteorder("=")
    np.testing.assert_array_equal(ours, theirs.reshape(ours.shape))


def _by_pydicom(data: pydicom.FileDataset) -> Any:
    plugin = PLUGINS[SYNTAXES[data.file_meta.TransferSyntaxUID].kind]
    values = pixel_array(data, raw=False, decoding_plugin=plugin)
    return apply_color_lut(values, data) if "PALETTE" in data.PhotometricInterpretation else values


def test_images_without_a_patient_need_to_be_declared(ingest: Any) -> None:
    data = (FOLDER / "image_dfl.dcm").read_bytes()
    assert ingest(data, subject="PatientID").reason == "missing_subject"
    assert ingest(data, subject="image").row["subject_id"] >= 0


def test_copies_for_a_demonstration(tmp_path: Path) -> None:
    copies = copy_examples(tmp_path)
    assert len(copies) == len(example_files()) > 80
    assert copies[0].read_bytes() == example_files()[0].read_bytes()
    assert copies[0].is_relative_to(tmp_path / "pydicom")
