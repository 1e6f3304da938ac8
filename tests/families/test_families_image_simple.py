"""The coarse grey levels of prepared images, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from families.image_recipe import config

from medray.families.image.simple import simple


def test_each_cell_is_the_mean_of_its_pixels() -> None:
    image = np.zeros((1, 1, 16, 24), np.uint8)  # cells of 2 rows and 3 columns
    image[0, 0, 2:4, 3:6] = 255  # second row, second column
    image[0, 0, 15, 23] = 255  # one pixel of six in the last cell
    found = simple(image, config(), {})
    assert found.shape == (1, 64)
    assert found.dtype == np.float32
    assert found[0, 9] == 1
    assert found[0, 63] == pytest.approx(1 / 6)
    assert np.count_nonzero(found) == 2


def test_channels_follow_each_other() -> None:
    colour = np.stack([np.full((8, 8), level) for level in (0, 51, 255)]).astype(np.uint8)[None]
    assert simple(colour, config(channels=3), {}).reshape(3, 64).tolist() == [
        [0.0] * 64, [pytest.approx(0.2)] * 64, [1.0] * 64,
    ]  # fmt: skip


@pytest.mark.parametrize("size", [(8, 8), (9, 15), (31, 17)])
def test_any_side_from_8_on_is_covered_whole(size: tuple[int, int]) -> None:
    white = np.full((2, 1, *size), 255, np.uint8)
    assert (simple(white, config(), {}) == 1).all()
    corner = np.zeros((1, 1, *size), np.uint8)
    corner[..., -1, -1] = 255
    assert np.flatnonzero(simple(corner, config(), {})).tolist() == [63]
