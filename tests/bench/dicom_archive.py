"""An archive as hospitals have it: CT, MR and chest films in the syntaxes that they come in.

The same kinds and seed give the same pixels. Each file has a header of some 150 elements with private
blocks and sequences, as scanners write them, and an image of its own that compresses like a real one.

    python tests/bench/dicom_archive.py FOLDER --files 400     # the files, and FOLDER.json with their digests
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.filewriter import dcmwrite
from pydicom.pixels.encoders.base import RLELosslessEncoder
from pydicom.sequence import Sequence
from pydicom.uid import UID

# kind: modality, side, transfer syntax, share of a hundred files
KINDS: dict[str, tuple[str, int, str, int]] = {
    "ct": ("CT", 512, "1.2.840.10008.1.2.1", 40),
    "ct_jpegls": ("CT", 512, "1.2.840.10008.1.2.4.80", 15),
    "ct_j2k": ("CT", 512, "1.2.840.10008.1.2.4.90", 10),
    "ct_rle": ("CT", 512, "1.2.840.10008.1.2.5", 10),
    "cxr_j2k": ("DX", 2048, "1.2.840.10008.1.2.4.90", 10),
    "cxr_jpegll": ("DX", 2048, "1.2.840.10008.1.2.4.70", 5),
    "mr": ("MR", 256, "1.2.840.10008.1.2.1", 10),
    # of no share: kinds to be asked for
    "cxr_htj2k": ("DX", 2048, "1.2.840.10008.1.2.4.201", 0),
    "cxr_jpeg": ("DX", 2048, "1.2.840.10008.1.2.4.50", 0),
}
ROOT = "1.2.826.0.1.3680043.10.9"
CLASSES = {"CT": "1.2.840.10008.5.1.4.1.1.2", "MR": "1.2.840.10008.5.1.4.1.1.4", "DX": "1.2.840.10008.5.1.4.1.1.1.1"}


@dataclass(frozen=True)
class Made:
    """One file: its kind, its bytes, and the SHA-256 of its stored values, little-endian."""

    kind: str
    data: bytes
    pixels_sha256: str


def mix(files: int) -> list[str]:
    """Kinds of so many files, in the shares of `KINDS`, spread evenly."""
    places = [((number + 0.5) / share, kind) for kind, (*_, share) in KINDS.items() for number in range(share)]
    hundred = [kind for _, kind in sorted(places)]
    return [hundred[number * 37 % 100] for number in range(files)]  # 37 and 100 have no divisor in common


def made(kinds: list[str], seed: int = 1) -> Iterator[Made]:
    """The files, one by one."""
    for number, kind in enumerate(kinds):
        values = _pixels(kind, number, seed)
        yield Made(kind, dicom_file(kind, values, number, seed), hashlib.sha256(values.tobytes()).hexdigest())


def _pixels(kind: str, number: int, seed: int) -> Any:
    modality, side = KINDS[kind][:2]
    dice = np.random.default_rng([seed, number])
    image = np.roll(_base(modality, side, int(dice.integers(4))), tuple(dice.integers(-20, 20, 2)), (0, 1))
    image = image * dice.uniform(0.95, 1.05) + 4 * dice.standard_normal(image.shape, dtype=np.float32)
    if kind == "cxr_jpeg":
        return np.clip(np.rint(image / 16), 0, 255).astype("u1")
    if modality == "DX":
        return np.clip(np.rint(image), 0, 4095).astype("<u2")
    return np.clip(np.rint(image), -2048 if modality == "CT" else 0, 4095).astype("<i2")


@cache
def _base(modality: str, side: int, number: int) -> Any:
    """A drawn body: float32 (side, side)."""
    dice = np.random.default_rng([7, number, ord(modality[0])])
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    if modality == "CT":
        image = np.where((x / 0.82) ** 2 + (y / 0.62) ** 2 < 1, 40.0, -1000.0)
        for _ in range(14):
            centre, radii = dice.uniform((-0.5, -0.35), (0.5, 0.35)), dice.uniform(0.04, 0.2, 2)
            inside = ((x - centre[0]) / radii[0]) ** 2 + ((y - centre[1]) / radii[1]) ** 2 < 1
            image[inside] = dice.choice([-850, -80, 20, 60, 110, 400, 900])
        image += np.where(image > -990, 14 * _smooth(dice, side, 1.2) + 8 * _smooth(dice, side, 12), 0)
        image[np.hypot(x, y) > 1] = -2000  # outside the scanner's circle
    elif modality == "DX":
        lungs = sum(np.exp(-(((x - sign * 0.38) / 0.28) ** 2 + (y / 0.55) ** 2)) for sign in (1, -1))
        ribs = 160 * np.sin(26 * (y + 0.12 * x * x)) * (np.abs(x) < 0.75)
        image = 2600 - 900 * lungs + ribs + 60 * _smooth(dice, side, 60) + 9 * _smooth(dice, side, 1.0)
    else:
        image = np.where((x / 0.7) ** 2 + (y / 0.85) ** 2 < 1, 420 + 120 * _smooth(dice, side, 30), 0)
        noise = 9 * dice.standard_normal((2, side, side))
        image = np.hypot(image + noise[0], noise[1])
    return image.astype(np.float32)


def _smooth(dice: np.random.Generator, side: int, width: float) -> Any:
    """Noise of standard deviation 1 without detail below some `width` pixels."""
    spectrum = np.fft.rfft2(dice.standard_normal((side, side)))
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None])
    field = np.fft.irfft2(spectrum * np.exp(-((frequency * width) ** 2)), s=(side, side))
    return field / field.std()


def dicom_file(kind: str, values: Any, number: int, seed: int) -> bytes:
    """A file with these stored values, and a header that follows from kind, number and seed."""
    modality, _, syntax, _ = KINDS[kind]
    instance = _header(modality, number, seed)
    bits = 8 if values.itemsize == 1 else 12 if modality == "DX" else 16
    instance.SamplesPerPixel, instance.PhotometricInterpretation = 1, "MONOCHROME2"
    instance.Rows, instance.Columns = values.shape
    instance.BitsAllocated, instance.BitsStored, instance.HighBit = values.itemsize * 8, bits, bits - 1
    instance.PixelRepresentation = int(values.dtype.kind == "i")
    instance.WindowCenter, instance.WindowWidth = (2048, 4096) if modality == "DX" else (40, 400)
    instance.RescaleIntercept, instance.RescaleSlope = 0, 1
    native = syntax == "1.2.840.10008.1.2.1"
    instance.PixelData = values.tobytes() if native else encapsulate([_encoded(kind, values, bits)])
    instance["PixelData"].VR = "OW" if native else "OB"
    instance["PixelData"].is_undefined_length = not native
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = instance.SOPClassUID, instance.SOPInstanceUID
    meta.TransferSyntaxUID, instance.file_meta = UID(syntax), meta
    stream = BytesIO()
    dcmwrite(stream, instance, enforce_file_format=True)
    return stream.getvalue()


def _encoded(kind: str, values: Any, bits: int) -> bytes:
    form: Mapping[str, Any] = {
        "rows": values.shape[0], "columns": values.shape[1], "number_of_frames": 1, "samples_per_pixel": 1,
        "photometric_interpretation": "MONOCHROME2", "bits_allocated": 16, "bits_stored": 16,
        "pixel_representation": 1,
    }  # fmt: skip
    unsigned = values.view(f"u{values.itemsize}")
    match kind.split("_")[1]:
        case "rle":
            return RLELosslessEncoder.encode(values, **form)
        case "jpegls":
            return bytes(imagecodecs.jpegls_encode(unsigned))
        case "j2k":
            return bytes(imagecodecs.jpeg2k_encode(values, level=0, codecformat="J2K", bitspersample=bits, mct=False))
        case "htj2k":
            return bytes(imagecodecs.htj2k_encode(unsigned, reversible=True))
        case "jpegll":
            return bytes(imagecodecs.ljpeg_encode(unsigned, bitspersample=16))
        case _:
            return bytes(imagecodecs.jpeg8_encode(values, level=90))


def _header(modality: str, number: int, seed: int) -> Dataset:
    made, series = Dataset(), f"{ROOT}.{seed}.{number // 40}"
    made.SpecificCharacterSet, made.ImageType = "ISO_IR 192", ["ORIGINAL", "PRIMARY", "AXIAL"]
    made.SOPClassUID, made.SOPInstanceUID = CLASSES[modality], f"{series}.{number}.1"
    made.StudyInstanceUID, made.SeriesInstanceUID, made.FrameOfReferenceUID = f"{series}.0", series, f"{series}.9"
    for name in ("Study", "Series", "Acquisition", "Content"):
        setattr(made, f"{name}Date", "20240117")
        setattr(made, f"{name}Time", f"1{number % 10}3000.250000")
    made.Modality, made.Manufacturer, made.InstitutionName = modality, "SYNTH", "Synthetic Hospital"
    made.StudyDescription, made.SeriesDescription, made.StationName = "Synthetic study", "Series", "ST1"
    made.PatientName, made.PatientID = f"Doe^Jane{number}", f"P{number // 80:05d}"
    made.PatientBirthDate, made.PatientSex, made.PatientAge = "19600101", "F", "064Y"
    made.BodyPartExamined, made.SliceThickness, made.KVP, made.ProtocolName = "CHEST", "1.25", "120", "P"
    made.SeriesNumber, made.InstanceNumber, made.PatientPosition = 2, number % 40 + 1, "HFS"
    made.ImagePositionPatient, made.ImageOrientationPatient = [-200, -200, number % 40 * 1.25], [1, 0, 0, 0, 1, 0]
    made.PixelSpacing, made.ExposureTime, made.XRayTubeCurrent = [0.7, 0.7], 500, 300
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = CLASSES[modality], f"{series}.8"
    made.ReferencedImageSequence = Sequence([reference] * 3)
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "123", "SCT", "Chest"
    made.ProcedureCodeSequence = Sequence([code])
    for group in (0x0009, 0x0019, 0x0021, 0x0043):
        block = made.private_block(group, f"SYNTH {group}", create=True)
        for element in range(1, 21):
            vr, value = [("DS", "1.5"), ("LO", "private text"), ("SL", element), ("SH", "abc"), ("FD", 1.5)][
                element % 5
            ]
            block.add_new(element, vr, value)
    return made


def write_archive(folder: Path, files: int, seed: int = 1, workers: int = 2) -> None:
    """The files below the folder, and beside it their manifest; nothing when they stand already."""
    if manifest(folder).exists():
        return
    tasks = [(folder, number, kind, seed) for number, kind in enumerate(mix(files))]
    with get_context("spawn").Pool(workers) as pool:
        entries = pool.starmap(_written, tasks, chunksize=8)
    manifest(folder).write_text(json.dumps(entries))


def manifest(folder: Path) -> Path:
    """Beside the archive, of which it is no object."""
    return folder.with_suffix(".json")


def _written(folder: Path, number: int, kind: str, seed: int) -> dict[str, Any]:
    values = _pixels(kind, number, seed)
    path = folder / f"P{number // 80:05d}" / f"S{number // 40:05d}" / f"{number:06d}.dcm"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(dicom_file(kind, values, number, seed))
    digest = hashlib.sha256(values.tobytes()).hexdigest()
    return {"path": str(path.relative_to(folder)), "kind": kind, "pixels_sha256": digest}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--files", type=int, required=True)
    asked = parser.parse_args()
    write_archive(asked.folder, asked.files)
