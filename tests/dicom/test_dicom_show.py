"""Pictures of images for a report."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from medray.dicom.show import SIDE, show


def _row(instance: Dataset, written: Any, ingest: Any, **values: Any) -> Any:
    pixels = np.zeros((320, 640), np.uint16)
    pixels[:, 320:] = 1000  # the right half is bright
    instance.Rows, instance.Columns, instance.PixelData = 320, 640, pixels.tobytes()
    for keyword, value in values.items():
        setattr(instance, keyword, value)
    return ingest(written(instance)).row


def test_a_picture_has_square_pixels_and_its_own_window(instance: Dataset, written: Any, ingest: Any) -> None:
    picture = show(_row(instance, written, ingest, WindowCenter=1000, WindowWidth=2000))
    assert (picture.shape, picture.dtype) == ((SIDE // 2, SIDE), np.uint8)
    assert set(picture[:, :79].flat) == {0}
    assert set(picture[:, 81:].flat) == {128}  # (1000 - 999.5) / 1999 + 0.5 of 255, PS3.3 C.11.2.1.2.1
    tall = show(_row(instance, written, ingest, PixelSpacing=[4, 1]))
    assert tall.shape == (SIDE, SIDE // 2)


def test_without_a_window_the_picture_uses_all_greys(instance: Dataset, written: Any, ingest: Any) -> None:
    picture = show(_row(instance, written, ingest))
    assert (picture.min(), picture.max()) == (0, 255)


def test_the_middle_frame_is_shown(instance: Dataset, written: Any, ingest: Any) -> None:
    instance.NumberOfFrames, instance.Rows, instance.Columns = 3, 8, 8
    frames = np.stack([np.full((8, 8), level, np.uint16) for level in (0, 500, 1000)])
    instance.PixelData, instance.WindowCenter, instance.WindowWidth = frames.tobytes(), 500, 1001
    picture = show(ingest(written(instance)).row)
    assert set(picture.flat) == {128}
