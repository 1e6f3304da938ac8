"""One row of `images` -> the small grey or colour bytes that a network reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np

from medray.contracts import Array, Example, Layout
from medray.families.image.config import ImageConfig, Window
from medray.ops.resize import Box, resize

PREPARE_VERSION = 2  # raised when the same row and config would give other bytes

PREPARE_COLUMNS = (
    "TransferSyntaxUID", "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames",
    "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "PixelPaddingValue",
    "PixelPaddingRangeLimit", "FloatPixelPaddingValue", "FloatPixelPaddingRangeLimit", "RescaleSlope",
    "RescaleIntercept", "frame_rescale", "WindowCenter", "WindowWidth", "VOILUTFunction", "PresentationLUTShape",
    "modality_lut", "voi_lut", "palette", "frame_codec", "frame_offsets", "frames",
)  # fmt: skip


def layout(config: ImageConfig) -> Layout:
    """uint8 (channels, height, width)."""
    return Layout(shape=(config.channels, *config.size), dtype="uint8")


def prepare_key(config: ImageConfig) -> Mapping[str, Any]:
    """What the prepared bytes depend on; the network and its augmentation are no part of it."""
    names = {"name", "size", "channels", "window", "frames", "reduced"}
    return {**config.model_dump(mode="json", include=names), "prepare_version": PREPARE_VERSION}


def to_bytes(display: Array, config: ImageConfig, box: Box | None = None) -> Array:
    """Resize a frame and round it to 256 levels.

    Args:
        display: float32 (H, W) or (H, W, 3), 0 black to 1 white.
        box: the part of it that becomes the image; all of it by default.

    Returns:
        uint8 (channels, height, width).
    """
    small = resize(display, config.size, box=box)
    levels = np.rint(np.clip(small, 0.0, 1.0) * 255.0).astype(np.uint8)
    return levels[None] if levels.ndim == 2 else np.moveaxis(levels, -1, 0)


def _images(row: Mapping[str, Any], config: ImageConfig) -> Iterator[Array]:
    # Training and scoring from the cache never decode: the decoders load only here.
    from medray.dicom.failures import unusable
    from medray.dicom.pixels import display_values, frame_arrays, small_frames
    from medray.dicom.reduced import full

    window = config.window
    chosen = (window.center, window.width) if isinstance(window, Window) else window
    frames = small_frames(row, config.size) if config.reduced else map(full, frame_arrays(row))
    for index, frame in enumerate(frames):
        try:
            display = display_values(frame.values, row, chosen, index)
        except Exception as error:  # one header with an impossible window must not stop a night
            raise unusable(error, otherwise="bad_pixel_header") from None
        yield to_bytes(display, config, frame.box(row["Rows"], row["Columns"]))


def prepare(row: Mapping[str, Any], config: ImageConfig) -> Sequence[Example]:
    """The examples of one instance, in the order of its frames.

    Args:
        row: a row of `images` with `PREPARE_COLUMNS`, accepted by `accepts`.

    Raises:
        Unusable: a frame cannot be decoded, or the header's grey levels make no sense.
    """
    wanted = None if config.frames == "all" else 1
    images = islice(_images(row, config), wanted)
    return [Example(frame_index=index, values=values) for index, values in enumerate(images)]
