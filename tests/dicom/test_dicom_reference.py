"""Every image of pydicom-data equals the reference decode: pydicom's, or one named here with its reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom.encaps import generate_frames
from pydicom.pixels.processing import apply_color_lut
from pydicom.pixels.utils import pixel_array

from medray.dicom.pixels import frame_arrays

data_store = pytest.importorskip("data_store", reason="pydicom-data, of the test extra, is not installed")
FOLDER = Path(data_store.__file__).parent / "data"
FILES = tuple(sorted(FOLDER.glob("*.dcm")))

REFUSED = {
    "bad_sequence.dcm": "missing_uid",
    "emri_small_jpeg_2k_lossless_too_short.dcm": "truncated",
}
# The same image in another file, which pydicom decodes.
TWINS = {
    "emri_small_jpeg_ls_lossless.dcm": "emri_small.dcm",  # pydicom has no JPEG-LS without further packages
    "OBXXXX1A_expb.dcm": "OBXXXX1A.dcm",  # pydicom does not turn the bytes of a big-endian palette
    "OBXXXX1A_expb_2frame.dcm": "OBXXXX1A_2frame.dcm",
}
# pydicom has no JPEG lossless without further packages: two decoders that share no code agree.
LOSSLESS_JPEG = {"JPEG-LL.dcm", "JPGLosslessP14SV1_1s_1f_8b.dcm"}


def ours(name: str, ingest: Any) -> Any:
    row = ingest((FOLDER / name).read_bytes(), subject="image").row
    return np.stack(list(frame_arrays(row)))


@pytest.mark.parametrize("name", [path.name for path in FILES if path.name not in REFUSED])
@pytest.mark.filterwarnings("ignore::UserWarning:pydicom")  # what the reference decoder says of these files
def test_every_image_equals_the_reference(name: str, ingest: Any) -> None:
    found, data = ours(name, ingest), pydicom.dcmread(FOLDER / TWINS.get(name, name), force=True)
    data.file_meta.setdefault("TransferSyntaxUID", pydicom.uid.ImplicitVRLittleEndian)
    if name in LOSSLESS_JPEG:
        (stream,) = generate_frames(data.PixelData, number_of_frames=1)
        for decode in (imagecodecs.ljpeg_decode, imagecodecs.jpegsof3_decode):
            np.testing.assert_array_equal(found[0].view(f"u{found.itemsize}"), decode(stream))
        return
    expected = pixel_array(data, raw=False)
    if data.PhotometricInterpretation == "PALETTE COLOR":
        expected = apply_color_lut(expected, data)
    assert found.dtype == expected.dtype.newbyteorder("=")
    np.testing.assert_array_equal(found, expected.reshape(found.shape))


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_image_has_its_reason(name: str, ingest: Any) -> None:
    assert ingest((FOLDER / name).read_bytes(), subject="image").reason == REFUSED[name]


def test_the_lossy_forms_of_an_image_are_near_its_uncompressed_one(ingest: Any) -> None:
    """Largest errors that the irreversible streams of NEMA's compression samples make."""
    for lossy, plain, most in (("MR2_J2KI.dcm", "MR2_UNCI.dcm", 0), ("RG3_J2KI.dcm", "RG3_UNCI.dcm", 0)):
        assert np.abs(ours(lossy, ingest).astype(int) - ours(plain, ingest)).max() <= most
