"""Header row -> is the image in the range that the model was made for?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from medray.contracts import Refusal
from medray.families.image.config import ImageConfig

MONOCHROME = frozenset({"MONOCHROME1", "MONOCHROME2"})
COLOUR = frozenset(
    {
        "RGB", "PALETTE COLOR", "YBR_FULL", "YBR_FULL_422",
        "YBR_PARTIAL_422", "YBR_PARTIAL_420", "YBR_ICT", "YBR_RCT", "XYB",
    }
)  # fmt: skip


def accepts(header: Mapping[str, Any], config: ImageConfig) -> Refusal | None:
    """None, or why the image is outside what the recipe declares.

    Args:
        header: a row of `images`, header columns only.
        config: the declared range.

    Returns:
        The first of: modality, photometric interpretation (PS3.3 C.7.6.3.1.2), frames, size. An
        instance kept in several rows (above 1 GiB) is too large for a network of single frames.
    """
    if header["Modality"] not in config.modalities:
        return Refusal("modality_out_of_range")
    if header["PhotometricInterpretation"] not in (MONOCHROME if config.channels == 1 else COLOUR):
        return Refusal("photometric_out_of_range")
    if config.frames == "single" and header["NumberOfFrames"] > 1:
        return Refusal("frames_out_of_range")
    if min(header["Rows"], header["Columns"]) < config.min_side or header["part_count"] > 1:
        return Refusal("size_out_of_range")
    return None
