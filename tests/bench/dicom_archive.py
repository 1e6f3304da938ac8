"""An archive of drawn CT, MR and radiographs in the syntaxes that hospitals keep, with long headers.

    python tests/bench/dicom_archive.py FOLDER --files 400

Of 100 files: 40 CT native, 15 CT JPEG-LS, 10 CT JPEG 2000, 10 CT RLE (512 x 512, 16 bits), 10
radiographs JPEG 2000, 5 JPEG lossless (2048 x 2048, 12 bits), 10 MR native (256 x 256). Every file has
some 160 elements, four private blocks and nested sequences among them, and pixels of its own. The
same number gives the same files. FOLDER.json holds the SHA-256 of each file's pixels, decoded.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
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
from pydicom.sequence import Sequence as Items
from pydicom.uid import UID

Pixels = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Kind:
    """One kind of file: `share` of a hundred, so many of them in a series and a study of one patient."""

    share: int
    drawn: str
    syntax: str
    per_series: int


KINDS = {
    "ct": Kind(40, "ct", "1.2.840.10008.1.2.1", 40),
    "ct-jpegls": Kind(15, "ct", "1.2.840.10008.1.2.4.80", 40),
    "ct-j2k": Kind(10, "ct", "1.2.840.10008.1.2.4.90", 40),
    "ct-rle": Kind(10, "ct", "1.2.840.10008.1.2.5", 40),
    "dx-j2k": Kind(10, "dx", "1.2.840.10008.1.2.4.90", 2),
    "dx-jpeg": Kind(5, "dx", "1.2.840.10008.1.2.4.70", 2),
    "mr": Kind(10, "mr", "1.2.840.10008.1.2.1", 20),
}
CLASSES = {
    "ct": ("CT", "1.2.840.10008.5.1.4.1.1.2"),
    "mr": ("MR", "1.2.840.10008.5.1.4.1.1.4"),
    "dx": ("DX", "1.2.840.10008.5.1.4.1.1.1.1"),
}
SIDES = {"ct": 512, "mr": 256, "dx": 2048}
WINDOWS = {"ct": (40, 400), "mr": (300, 600), "dx": (2048, 4096)}
NOISE = {"ct": 4.0, "mr": 2.0, "dx": 5.0}
PRIVATE = {0x0009: "GEMS_IDEN_01", 0x0019: "GEMS_ACQU_01", 0x0021: "GEMS_RELA_01", 0x0043: "GEMS_PARM_01"}
PRIVATE_VALUES = [("DS", "1.5"), ("LO", "private text"), ("SL", 7), ("SH", "abc"), ("FD", 1.5)]


def write_archive(folder: Path, files: int, seed: int = 1, workers: int = 2) -> None:
    """The files and their manifest; nothing when they stand already."""
    if manifest(folder).exists():
        return
    names = [name for name, kind in KINDS.items() for _ in range(round(files * kind.share / 100))]
    names = (names + ["ct"] * files)[:files]
    np.random.default_rng(seed).shuffle(names)
    tasks = [(folder, number, name, seed) for number, name in enumerate(names)]
    with get_context("spawn").Pool(workers) as pool:
        entries = pool.starmap(_write, tasks, chunksize=8)
    manifest(folder).write_text(json.dumps(entries))


def manifest(folder: Path) -> Path:
    """Beside the archive, of which it is no object."""
    return folder.with_suffix(".json")


def _write(folder: Path, number: int, name: str, seed: int) -> dict[str, Any]:
    kind = KINDS[name]
    pixels = _drawn(kind.drawn, seed, number)
    path = folder / f"P{number // (2 * kind.per_series):05d}{name}" / f"S{number // kind.per_series}"
    path.mkdir(parents=True, exist_ok=True)
    path /= f"{number}.dcm"
    path.write_bytes(_file(pixels, name, number, seed))
    digest = hashlib.sha256(pixels.tobytes()).hexdigest()
    return {"path": str(path.relative_to(folder)), "kind": name, "bytes": path.stat().st_size, "pixels_sha256": digest}


def _drawn(drawn: str, seed: int, number: int) -> Pixels:
    """Stored values: int16 of CT and MR, uint16 of radiographs."""
    rng = np.random.default_rng([seed, number])
    image = np.roll(_template(drawn, int(rng.integers(4))), tuple(rng.integers(-20, 20, 2)), (0, 1))
    image = image * rng.uniform(0.95, 1.05) + NOISE[drawn] * rng.standard_normal(image.shape, np.float32)
    low, high = (-2048, 4095) if drawn == "ct" else (0, 4095)
    return np.clip(np.rint(image), low, high).astype("<u2" if drawn == "dx" else "<i2")


@lru_cache(maxsize=16)
def _template(drawn: str, number: int) -> Pixels:
    rng, side = np.random.default_rng([7, number, SIDES[drawn]]), SIDES[drawn]
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    if drawn == "mr":
        image = np.where((x / 0.7) ** 2 + (y / 0.85) ** 2 < 1, 420 + 120 * _smooth(rng, side, 30), 0)
        return np.hypot(image, 9 * rng.standard_normal((side, side))).astype(np.float32)
    if drawn == "dx":
        lungs = sum(np.exp(-(((x - middle) / 0.28) ** 2 + (y / 0.55) ** 2)) for middle in (-0.38, 0.38))
        ribs = 160 * np.sin(26 * (y + 0.12 * x * x)) * (np.abs(x) < 0.75)
        image = 2600 - 900 * lungs + ribs + 60 * _smooth(rng, side, 60) + 9 * _smooth(rng, side, 1.0)
        return np.asarray(image, np.float32)
    image = np.full((side, side), -1000.0)
    image[(x / 0.82) ** 2 + (y / 0.62) ** 2 < 1] = 40
    for _ in range(14):
        left, top, wide, high = *rng.uniform(-0.5, 0.5, 2), *rng.uniform(0.04, 0.2, 2)
        image[((x - left) / wide) ** 2 + ((y - top) / high) ** 2 < 1] = rng.choice([-850, -80, 20, 60, 110, 400, 900])
    tissue = 14 * _smooth(rng, side, 1.2) + 8 * _smooth(rng, side, 12)
    image += np.where(image > -990, tissue, 3 * _smooth(rng, side, 1.5))
    image[np.hypot(x, y) > 1] = -2000  # what lies outside the scanner's circle
    return image.astype(np.float32)


def _smooth(rng: np.random.Generator, side: int, width: float) -> Pixels:
    """Gaussian noise of unit variance, smooth over some `width` pixels."""
    spectrum = np.fft.rfft2(rng.standard_normal((side, side)))
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None])
    noise = np.fft.irfft2(spectrum * np.exp(-((frequency * width) ** 2)), s=(side, side))
    return noise / noise.std()


def _file(pixels: Pixels, name: str, number: int, seed: int) -> bytes:
    data = _header(pixels, KINDS[name], number, f"1.2.826.0.1.{seed}.{number // KINDS[name].per_series}")
    frame = _codestream(pixels, name, data)
    if frame is None:
        data.PixelData = pixels.tobytes()
        data["PixelData"].VR = "OW"
    else:
        data.PixelData = encapsulate([frame + b"\0" * (len(frame) % 2)])
        data["PixelData"].VR, data["PixelData"].is_undefined_length = "OB", True
    stream = BytesIO()
    dcmwrite(stream, data, enforce_file_format=True)
    return stream.getvalue()


def _codestream(pixels: Pixels, name: str, data: Dataset) -> bytes | None:
    """The compressed frame; None for native ones."""
    bits = int(data.BitsStored)
    if name == "ct-jpegls":
        return bytes(imagecodecs.jpegls_encode(pixels.view("<u2")))
    if name.endswith("j2k"):
        return bytes(imagecodecs.jpeg2k_encode(pixels, level=0, codecformat="J2K", bitspersample=bits, reversible=True))
    if name == "dx-jpeg":
        return bytes(imagecodecs.ljpeg_encode(pixels, bitspersample=16))
    if name == "ct-rle":
        form = {"rows": pixels.shape[0], "columns": pixels.shape[1], "samples_per_pixel": 1, "bits_allocated": 16}
        form |= {"bits_stored": 16, "number_of_frames": 1, "pixel_representation": 1}
        return bytes(RLELosslessEncoder.encode(pixels, **form, photometric_interpretation="MONOCHROME2"))
    return None


def _header(pixels: Pixels, kind: Kind, number: int, series: str) -> Dataset:
    modality, sop_class = CLASSES[kind.drawn]
    data, meta = Dataset(), FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = UID(sop_class), UID(f"{series}.{number}")
    meta.TransferSyntaxUID, data.file_meta = UID(kind.syntax), meta
    data.SpecificCharacterSet, data.ImageType = "ISO_IR 192", ["ORIGINAL", "PRIMARY", "AXIAL"]
    data.SOPClassUID, data.SOPInstanceUID = sop_class, f"{series}.{number}"
    for event in ("Study", "Series", "Acquisition", "Content"):
        setattr(data, f"{event}Date", "20240117")
        setattr(data, f"{event}Time", f"1{number % 10}3000.250000")
    texts = {
        "AccessionNumber": f"A{number:08d}", "Modality": modality, "Manufacturer": "SYNTHETIC",
        "InstitutionName": "Synthetic Hospital", "StationName": "ST1", "ManufacturerModelName": "M1",
        "StudyDescription": "Synthetic study", "SeriesDescription": "Series", "PatientName": f"Doe^Jane{number}",
        "PatientID": f"P{number // (2 * kind.per_series):05d}", "PatientBirthDate": "19600101", "PatientSex": "F",
        "PatientAge": "064Y", "BodyPartExamined": "CHEST", "SliceThickness": "1.25", "KVP": "120",
        "ProtocolName": "P", "SoftwareVersions": "v1", "StudyInstanceUID": f"{series}.0",
        "SeriesInstanceUID": series, "FrameOfReferenceUID": f"{series}.9", "PatientPosition": "HFS",
        "ConvolutionKernel": "STANDARD", "PhotometricInterpretation": "MONOCHROME2",
    }  # fmt: skip
    place = number % kind.per_series
    numbers = {
        "SeriesNumber": 2, "InstanceNumber": place + 1, "ImagePositionPatient": [-200, -200, 1.25 * place],
        "ImageOrientationPatient": [1, 0, 0, 0, 1, 0], "PixelSpacing": [0.7, 0.7], "SliceLocation": 1.25 * place,
        "ExposureTime": 500, "XRayTubeCurrent": 300, "SamplesPerPixel": 1, "BitsAllocated": 16,
        "BitsStored": 12 if kind.drawn == "dx" else 16, "HighBit": 11 if kind.drawn == "dx" else 15,
        "PixelRepresentation": int(kind.drawn != "dx"), "Rows": pixels.shape[0], "Columns": pixels.shape[1],
        "WindowCenter": WINDOWS[kind.drawn][0], "WindowWidth": WINDOWS[kind.drawn][1], "RescaleIntercept": 0,
        "RescaleSlope": 1,
    }  # fmt: skip
    for keyword, value in {**texts, **numbers}.items():
        setattr(data, keyword, value)
    _nested(data, series)
    for group, creator in PRIVATE.items():
        block = data.private_block(group, creator, create=True)
        for element in range(1, 21):
            block.add_new(element, *PRIVATE_VALUES[element % 5])
    return data


def _nested(data: Dataset, series: str) -> None:
    code = _item(CodeValue="123", CodingSchemeDesignator="SCT", CodeMeaning="Chest")
    reference = _item(ReferencedSOPClassUID=data.SOPClassUID, ReferencedSOPInstanceUID=f"{series}.1")
    data.ReferencedImageSequence = Items([reference] * 3)
    data.ProcedureCodeSequence = Items([code])
    step = _item(ScheduledProcedureStepID="S", ScheduledProtocolCodeSequence=Items([code]))
    data.RequestAttributesSequence = Items([step])


def _item(**values: Any) -> Dataset:
    item = Dataset()
    for keyword, value in values.items():
        setattr(item, keyword, value)
    return item


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--files", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(arguments)
    asked.folder.mkdir(parents=True, exist_ok=True)
    write_archive(asked.folder, asked.files, asked.seed)


if __name__ == "__main__":
    main()
