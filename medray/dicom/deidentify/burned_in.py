"""Can an image show text about its patient? Judged by what its header says, not by its pixels.

Ultrasound, endoscopy, photographs and all captures of a screen or of paper show names and dates in their
pixels; projection images and slices as a scanner made them do not. Who knows an archive clears kinds of
images by rules of the recipe.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from medray.dicom.deidentify.policy import Clearance
from medray.dicom.vocabulary import manufacturer

# Modalities whose images are made by detectors and written without a screen in between (PS3.3 C.7.3.1.1.1).
GREY = frozenset(("CR", "CT", "DX", "IO", "MG", "MR", "NM", "PT", "PX", "RF", "RG", "RTDOSE", "RTIMAGE", "BMD", "XA"))
FREE_OF_TEXT = GREY | {"SEG", "IVOCT", "OCT", "OPT", "OPTENF", "OPTBSV", "OP", "OPM"}
# Secondary capture, ultrasound, visible light and video, encapsulated captures (PS3.4 B.5).
SHOWS_TEXT = (
    "1.2.840.10008.5.1.4.1.1.7",
    "1.2.840.10008.5.1.4.1.1.3",
    "1.2.840.10008.5.1.4.1.1.6",
    "1.2.840.10008.5.1.4.1.1.77.1",
)
# Visible light classes without a screen: ophthalmic photography and tomography.
OPHTHALMIC = "1.2.840.10008.5.1.4.1.1.77.1.5"
CAPTURES = (
    "SECONDARY", "SCREEN", "SAVE", "CAPTURE", "LABEL", "OVERVIEW", "DOSE", "REPORT", "RESULT", "SNAPSHOT", "PRINT",
)  # fmt: skip
COLOURS = ("RGB", "YBR", "PALETTE")


@dataclass(frozen=True)
class Kind:
    """What a header says of an image; texts without padding, "" where it says nothing.

    Attributes:
        manufacturer: as the header has it.
    """

    modality: str
    sop_class: str
    image_type: tuple[str, ...]
    photometric: str
    burned_in_annotation: str
    manufacturer: str


def risk(kind: Kind) -> str | None:
    """Why an image of this kind may show text, in words of ours; None where it does not."""
    if kind.burned_in_annotation == "YES":
        return "it says so"
    if _of_class(kind.sop_class, SHOWS_TEXT) and not _of_class(kind.sop_class, (OPHTHALMIC,)):
        return "its class"
    if kind.modality not in FREE_OF_TEXT:
        return "its modality" if kind.modality else "no modality"
    if any(word in value.upper() for value in kind.image_type for word in CAPTURES):
        return "its image type"
    if kind.modality in GREY and kind.photometric.startswith(COLOURS):
        return "colour in a grey modality"
    return None


def cleared(kind: Kind, rules: Iterable[Clearance]) -> bool:
    """Does a rule of the recipe match?"""
    return any(_matches(kind, rule) for rule in rules)


def _of_class(sop_class: str, families: tuple[str, ...]) -> bool:
    return any(sop_class == family or sop_class.startswith(family + ".") for family in families)


def _matches(kind: Kind, rule: Clearance) -> bool:
    return (
        (kind.burned_in_annotation != "YES" or rule.burned_in_annotation == "YES")
        and rule.modality in (None, kind.modality)
        and rule.sop_class in (None, kind.sop_class)
        and rule.manufacturer in (None, manufacturer(kind.manufacturer))
        and (rule.image_type is None or set(rule.image_type) <= set(kind.image_type))
    )
