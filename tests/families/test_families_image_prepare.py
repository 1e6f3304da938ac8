"""One row of `images` -> examples, by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from families.image_recipe import config

from medray.dicom.native import pack
from medray.errors import Unusable
from medray.families.image.prepare import PREPARE_COLUMNS, prepare, prepare_key, to_bytes


def row(frames: np.ndarray, **header: Any) -> dict[str, Any]:
    """A row of native little-endian frames (F, H, W[, 3]), with the columns of `prepare` only."""
    bits = frames.dtype.itemsize * 8
    colour = frames.ndim == 4
    values = dict.fromkeys(PREPARE_COLUMNS) | {
        "TransferSyntaxUID": "1.2.840.10008.1.2.1", "SamplesPerPixel": 3 if colour else 1,
        "NumberOfFrames": len(frames),
        "PhotometricInterpretation": "RGB" if colour else "MONOCHROME2", "PlanarConfiguration": 0 if colour else None,
        "Rows": frames.shape[1], "Columns": frames.shape[2], "BitsAllocated": bits, "BitsStored": bits,
        "HighBit": bits - 1, "frame_codec": "planes-zstd", "PixelRepresentation": int(frames.dtype.kind == "i"),
    } | header  # fmt: skip
    cells = [pack(np.frombuffer(frame.tobytes(), np.uint8), bits // 8) for frame in frames]
    ends = np.cumsum([0, *map(len, cells)]).tolist()
    return values | {"frame_offsets": ends, "frames": b"".join(cells)}


RAMP = np.arange(28 * 32, dtype=np.uint16).reshape(1, 28, 32) % 251


def test_eight_bits_of_the_right_size_pass_unchanged() -> None:
    frame = RAMP.astype(np.uint8)
    (example,) = prepare(row(frame), config())
    assert example.frame_index == 0
    assert example.values.dtype == np.uint8
    np.testing.assert_array_equal(example.values, frame)


def test_monochrome1_is_turned_over() -> None:
    (example,) = prepare(row(RAMP.astype(np.uint8), PhotometricInterpretation="MONOCHROME1"), config())
    np.testing.assert_array_equal(example.values, 255 - RAMP)


def test_windows_by_hand() -> None:
    frame = np.full((1, 28, 32), 1064, dtype=np.uint16)  # 40 HU
    header = {"RescaleSlope": 1.0, "RescaleIntercept": -1024.0, "WindowCenter": [90.0], "WindowWidth": [201.0]}

    def grey(window: Any) -> int:
        return int(prepare(row(frame, **header), config(window=window))[0].values[0, 0, 0])

    assert grey("dicom") == round((40 - (90 - 0.5 - 100)) / 200 * 255)
    assert grey({"center": 40.5, "width": 101.0}) == round(0.5 * 255)
    assert grey("full") == round(1064 / 65535 * 255)


def test_size_is_height_then_width() -> None:
    frame = np.zeros((1, 56, 64), dtype=np.uint8)
    frame[0, :28] = 200
    values = prepare(row(frame), config())[0].values
    assert values.shape == (1, 28, 32)
    assert values[0, :12].min() == 200
    assert values[0, 16:].max() == 0


def test_colour_has_its_channels_first() -> None:
    frame = np.zeros((1, 28, 32, 3), dtype=np.uint8)
    frame[..., 2] = 77
    values = prepare(row(frame), config(channels=3))[0].values
    assert [int(plane.max()) for plane in values] == [0, 0, 77]


@pytest.mark.parametrize(("frames", "expected"), [("first", [0]), ("all", [0, 1, 2])])
def test_frames_asked_for(frames: str, expected: list[int]) -> None:
    stack = np.stack([np.full((28, 32), 10 * n, dtype=np.uint8) for n in range(3)])
    examples = prepare(row(stack), config(frames=frames))
    assert [example.frame_index for example in examples] == expected
    assert [int(example.values[0, 0, 0]) for example in examples] == [10 * n for n in expected]


def test_later_frames_are_not_decoded_when_the_first_is_asked_for() -> None:
    good = row(np.zeros((2, 28, 32), dtype=np.uint8))
    end = good["frame_offsets"][1]
    broken = good | {"frames": good["frames"][:end] + b"broken"}
    assert len(prepare(broken, config(frames="first"))) == 1
    with pytest.raises(Unusable):
        prepare(broken, config(frames="all"))


def test_a_header_with_an_impossible_window_is_unusable() -> None:
    broken = row(RAMP.astype(np.uint8), WindowCenter=[3.0], WindowWidth=[])
    with pytest.raises(Unusable, match="bad_pixel_header"):
        prepare(broken, config(window="dicom"))


def test_levels_are_rounded_and_kept_in_range() -> None:
    display = np.full((28, 32), 0.5, dtype=np.float32)
    display[0, 0], display[0, 1], display[0, 2] = -0.1, 1.2, 0.4999 / 255
    assert to_bytes(display, config())[0, 0, :4].tolist() == [0, 255, 0, 128]


def test_reduced_resolution_is_asked_for_and_names_another_cache() -> None:
    """4 x 4 squares of a 112 x 128 frame: the ramp's means, then the same image within a level."""
    ramp = (np.arange(112)[:, None] + np.arange(128)[None]).astype(np.uint8)[None]
    (whole,) = prepare(row(ramp), config())
    (small,) = prepare(row(ramp), config(reduced=True))
    assert np.abs(small.values.astype(int) - whole.values).max() <= 1
    checker = (np.indices((112, 128)).sum(0) % 2 * 255).astype(np.uint8)[None]
    assert set(np.unique(prepare(row(checker), config(reduced=True))[0].values)) == {128}
    assert prepare_key(config()) != prepare_key(config(reduced=True))


def test_frames_with_slopes_of_their_own_are_prepared_with_them() -> None:
    stack = np.full((2, 28, 32), 100, dtype=np.uint16)
    window = {"center": 100.5, "width": 201.0}  # 0 to 200
    own = row(stack, frame_rescale=[1.0, 0.0, 1.5, 10.0])
    examples = prepare(own, config(frames="all", window=window))
    assert [int(example.values[0, 5, 5]) for example in examples] == [128, 204]
