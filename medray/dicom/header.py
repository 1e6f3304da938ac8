"""The bytes of an object -> one image instance: its header, and where its pixels lie."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO

from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset

from medray.dicom.config import DicomConfig
from medray.dicom.container import open_container
from medray.dicom.structure import Element, Encoding, walk
from medray.dicom.syntaxes import Syntax
from medray.dicom.wanted import WANTED


@dataclass(frozen=True)
class Instance:
    """One SOP instance with pixels.

    Attributes:
        header: the wanted elements before Pixel Data, see `wanted`.
        body: the bytes of the data set, inflated.
        elements: places of all top-level elements before Pixel Data.
        pixels: place of Pixel Data in `body`.
        encoding: how the elements are written.
        syntax: how header and pixels are meant to be written.
    """

    header: Dataset
    body: bytes
    elements: tuple[Element, ...]
    pixels: Element
    encoding: Encoding
    syntax: Syntax


def read_instance(data: bytes, config: DicomConfig) -> Instance:
    """The instance in `data`, its encoding checked to the last byte. Call it inside `quiet()`.

    Raises:
        Unusable: empty, not_dicom, truncated, malformed, too_deep, too_large, no_pixels,
            bad_frames. Other exceptions of pydicom are mapped by `failures.unusable`.
    """
    container = open_container(data, config.inflated_bytes)
    body, encoding = container.body, container.encoding
    found = walk(body, container.start, encoding, config.sequence_depth, WANTED)
    header = read_dataset(BytesIO(found.header), encoding.implicit, encoding.little)
    return Instance(header, body, found.elements, found.pixels, encoding, container.syntax)
