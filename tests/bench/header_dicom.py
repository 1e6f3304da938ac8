"""The values of a header: medray beside dicomsdl and pydicom, on the same bytes, in one run.

    python tests/bench/header_dicom.py --files 100 --rounds 7

medray also checks every length of a file to its last byte, the others do not. All must give the same values
before a time counts. Prints medians in CPU microseconds a file. dicomsdl takes part where it is installed.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from io import BytesIO
from typing import Any

import pydicom
from dicom_archive import made, mix

from medray.dicom.config import DicomConfig
from medray.dicom.header import read_instance

KEYWORDS = (
    "PatientID", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID", "Modality", "ImageType",
    "Manufacturer", "StationName", "InstitutionName", "StudyDate", "StudyTime", "AcquisitionDate", "BodyPartExamined",
    "PatientPosition", "SeriesNumber", "InstanceNumber", "ImagePositionPatient", "ImageOrientationPatient",
    "PixelSpacing", "SliceThickness", "SamplesPerPixel", "PhotometricInterpretation", "Rows", "Columns",
    "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "RescaleSlope", "RescaleIntercept",
)  # fmt: skip
CONFIG = DicomConfig(subject="PatientID")
Values = list[list[Any]]


def by_medray(data: bytes) -> Values:
    header = read_instance(data, CONFIG).header
    return [list(header.values(keyword)) for keyword in KEYWORDS]


def by_pydicom(data: bytes) -> Values:
    header = pydicom.dcmread(BytesIO(data), stop_before_pixels=True)
    return [_listed(header.get(keyword)) for keyword in KEYWORDS]


def by_dicomsdl(data: bytes) -> Values:
    import dicomsdl

    header = dicomsdl.open_memory(data)
    return [_listed(getattr(header, keyword)) for keyword in KEYWORDS]


def _listed(value: Any) -> list[Any]:
    if value is None or value == "":
        return []
    return list(value) if not isinstance(value, (str, bytes)) and hasattr(value, "__iter__") else [value]


def plain(values: Values) -> list[list[str]]:
    """In one form: numbers as floats, texts without padding."""
    return [[str(float(v)) if isinstance(v, (int, float)) else str(v).strip(" \0") for v in found] for found in values]


def ways() -> dict[str, Callable[[bytes], Values]]:
    found = {"medray": by_medray, "pydicom": by_pydicom}
    try:
        import dicomsdl  # noqa: F401
    except ImportError:
        return found
    return {**found, "dicomsdl": by_dicomsdl}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=100, help="of the mix of dicom_archive.py")
    parser.add_argument("--rounds", type=int, default=7)
    asked = parser.parse_args()
    files = [one.data for one in made(mix(asked.files))]
    compared = ways()
    for data in files:
        told = {way: plain(read(data)) for way, read in compared.items()}
        assert all(values == told["pydicom"] for values in told.values()), told
    times: dict[str, list[float]] = {way: [] for way in compared}
    for number in range(asked.rounds):
        for way in list(compared) if number % 2 == 0 else list(compared)[::-1]:
            began = time.process_time()
            for data in files:
                compared[way](data)
            times[way].append((time.process_time() - began) / len(files) * 1e6)
    own = statistics.median(times["medray"])
    for way, found in times.items():
        middle = statistics.median(found)
        print(f"{way:9} {middle:7,.0f} us a file   {middle / own:5.2f} x medray")


if __name__ == "__main__":
    main()
