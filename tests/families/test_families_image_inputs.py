"""Pixels of the training split -> sums -> normalised inputs, by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from families.image_recipe import config

from medray.families.image.collate import collate
from medray.families.image.survey import merge, summarise, survey

CPU = torch.device("cpu")
PIXELS = np.array([[[[0, 255], [255, 0]]], [[[51, 51], [51, 51]]]], dtype=np.uint8)  # (2, 1, 2, 2)


def test_sums_by_hand() -> None:
    expected = {"pixels": 8, "sum": [2 * 255 + 4 * 51], "squares": [2 * 255**2 + 4 * 51**2]}
    assert survey(PIXELS, config()) == expected


def test_mean_and_std_by_hand() -> None:
    summary = summarise(survey(PIXELS, config()))
    # in [0, 1]: 0, 1, 1, 0 and four times 0.2: mean 2.8 / 8, mean square 2.16 / 8
    assert summary["mean"] == pytest.approx([0.35])
    assert summary["std"] == pytest.approx([(0.27 - 0.35**2) ** 0.5])


def test_channels_have_their_own_sums() -> None:
    colour = np.stack([np.zeros((2, 2)), np.full((2, 2), 10), np.full((2, 2), 20)]).astype(np.uint8)[None]
    found = survey(colour, config(channels=3))
    assert found == {"pixels": 4, "sum": [0, 40, 80], "squares": [0, 400, 1600]}
    assert merge(found, found) == {"pixels": 8, "sum": [0, 80, 160], "squares": [0, 800, 3200]}


def test_sums_are_exact_beyond_float32() -> None:
    white = np.full((70, 1, 256, 256), 255, dtype=np.uint8)
    assert survey(white, config())["squares"] == [70 * 256 * 256 * 255**2]


def test_constant_images_do_not_divide_by_zero() -> None:
    summary = summarise(survey(np.full((1, 1, 4, 4), 9, dtype=np.uint8), config()))
    assert summary["std"] == [1 / 255]
    assert collate(np.full((1, 1, 4, 4), 10, dtype=np.uint8), config(), summary, CPU).flatten()[0] == pytest.approx(1.0)


def test_inputs_have_mean_zero_and_std_one_per_channel() -> None:
    examples = np.random.default_rng(0).integers(0, [[[[50]], [[100]], [[250]]]], (9, 3, 6, 5)).astype(np.uint8)
    inputs = collate(examples, config(channels=3), summarise(survey(examples, config(channels=3))), CPU)
    assert inputs.shape == (9, 3, 6, 5)
    assert inputs.is_contiguous(memory_format=torch.channels_last)
    assert torch.allclose(inputs.mean((0, 2, 3)), torch.zeros(3), atol=1e-5)
    assert torch.allclose(inputs.std((0, 2, 3), correction=0), torch.ones(3), atol=1e-5)
