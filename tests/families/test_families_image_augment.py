"""Each option of `[family.augment]` does what it says, and 0 is off."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from families.image_recipe import AUGMENT, config

from medray.families.image.augment import affine_matrices, augment, move
from medray.families.image.config import ImageConfig
from medray.nn.draws import Draws


def lively(**changes: Any) -> ImageConfig:
    return config(augment=AUGMENT | changes)


def chance(count: int = 8) -> Draws:
    return Draws(0, 0, torch.arange(count))


def images(count: int = 8, height: int = 24, width: int = 24) -> torch.Tensor:
    return torch.randn(count, 1, height, width, generator=torch.Generator().manual_seed(5))


def test_all_off_changes_nothing() -> None:
    assert torch.allclose(augment(images(), lively(), chance()), images(), atol=1e-5)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("rotate_degrees", 20), ("translate", 0.2), ("scale", 0.2), ("shear_degrees", 20), ("flip_horizontal", True),
        ("brightness", 0.5), ("contrast", 0.5), ("gamma", 0.5), ("noise", 0.5), ("erase", 0.5),
    ],
)  # fmt: skip
def test_each_option_changes_each_image_in_its_own_way(option: str, value: float) -> None:
    same = images(1).expand(16, -1, -1, -1)
    changed = augment(same, lively(**{option: value}), chance(16))
    assert torch.isfinite(changed).all()
    distinct = len({round(float(x), 4) for x in (changed - same).abs().sum((1, 2, 3))})
    assert distinct == 2 if option == "flip_horizontal" else distinct > 12


def test_the_callers_images_are_left_alone() -> None:
    original = images()
    everything = dict.fromkeys(AUGMENT, 0.3) | {"flip_horizontal": True}
    augment(original, lively(**everything), chance())
    assert torch.equal(original, images())


def test_half_of_the_images_are_mirrored_exactly() -> None:
    original = images(200)
    moved = augment(original, lively(flip_horizontal=True), chance(200))
    kept = _equal(moved, original)
    mirrored = _equal(moved, original.flip(3))
    assert torch.equal(kept, ~mirrored)
    assert 70 < int(mirrored.sum()) < 130


def _equal(left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    return torch.isclose(left, right, atol=1e-4).flatten(1).all(1)


def test_scale_and_translation_stay_within_their_limits() -> None:
    matrices = affine_matrices(images(500), lively(scale=0.25, translate=0.1).augment, chance(500))
    zoom = 1.0 / matrices[:, 0, 0]
    assert 0.75 <= float(zoom.min()) < 0.78
    assert 1.22 < float(zoom.max()) <= 1.25
    shifts = matrices[:, :, 2].abs().amax(0)  # along x and y, a share of a side that is 2 long
    assert ((shifts > 0.19) & (shifts <= 0.2)).all()
    assert torch.allclose(matrices[:, 0, 1], torch.zeros(500))


def test_rotation_keeps_angles_and_lengths_on_images_that_are_not_square() -> None:
    height, width = 20, 40
    matrices = affine_matrices(images(300, height, width), lively(rotate_degrees=30).augment, chance(300))
    half = torch.tensor([width / 2, height / 2])
    pixels = matrices[:, :, :2] * half[None, :, None] / half[None, None, :]
    assert torch.allclose(pixels @ pixels.transpose(1, 2), torch.eye(2).expand(300, 2, 2), atol=1e-5)
    degrees = torch.rad2deg(torch.atan2(pixels[:, 1, 0], pixels[:, 0, 0]))
    assert 28 < float(degrees.max()) <= 30.001
    assert -30.001 <= float(degrees.min()) < -28


def test_shear_moves_rows_sideways_only() -> None:
    matrices = affine_matrices(images(300), lively(shear_degrees=20).augment, chance(300))
    assert torch.allclose(matrices[:, 1, :2], torch.tensor([0.0, 1.0]).expand(300, 2))
    assert 0.34 < float(matrices[:, 0, 1].abs().max()) <= math.tan(math.radians(20)) + 1e-6


def test_the_edge_is_continued_outwards() -> None:
    grey = torch.full((4, 1, 24, 24), 3.0)
    assert torch.allclose(move(grey, lively(translate=0.5, rotate_degrees=45).augment, chance(4)), grey)


def test_brightness_is_an_offset_within_its_limit() -> None:
    shift = augment(images(300), lively(brightness=0.5), chance(300)) - images(300)
    assert torch.allclose(shift, shift[:, :, :1, :1].expand_as(shift), atol=1e-5)
    assert 0.48 < float(shift.max()) <= 0.5001
    assert -0.5001 <= float(shift.min()) < -0.48


def test_contrast_keeps_the_mean_and_multiplies_the_spread() -> None:
    changed = augment(images(300), lively(contrast=0.5), chance(300))
    assert torch.allclose(changed.mean((1, 2, 3)), images(300).mean((1, 2, 3)), atol=1e-5)
    ratio = changed.std((1, 2, 3)) / images(300).std((1, 2, 3))
    assert math.exp(0.48) < float(ratio.max()) < math.exp(0.501)
    assert math.exp(-0.501) < float(ratio.min()) < math.exp(-0.48)


def test_gamma_keeps_the_range_and_the_order() -> None:
    changed = augment(images(50), lively(gamma=0.5), chance(50))
    assert torch.allclose(changed.amax((1, 2, 3)), images(50).amax((1, 2, 3)), atol=1e-4)
    assert torch.allclose(changed.amin((1, 2, 3)), images(50).amin((1, 2, 3)), atol=1e-4)
    assert torch.equal(changed[0].flatten().argsort()[-5:], images(50)[0].flatten().argsort()[-5:])


def test_gamma_of_a_constant_image_is_that_image() -> None:
    grey = torch.full((3, 1, 24, 24), -2.0)
    assert torch.allclose(augment(grey, lively(gamma=1.0), chance(3)), grey, atol=1e-4)


def test_noise_has_no_mean_and_at_most_its_standard_deviation() -> None:
    noise = augment(images(300), lively(noise=0.4), chance(300)) - images(300)
    spread = noise.std((1, 2, 3))
    assert abs(float(noise.mean())) < 0.01
    assert float(spread.max()) < 0.44
    assert float(spread.mean()) == pytest.approx(0.2, abs=0.02)


def test_erasing_leaves_a_rectangle_of_the_mean() -> None:
    original = images(40).sign() * 2.0
    changed = augment(original, lively(erase=0.5), chance(40))
    for before, after in zip(original[:, 0], changed[:, 0], strict=True):
        hole = ~torch.isclose(before, after, atol=1e-4)
        rows, columns = torch.where(hole)
        if len(rows) == 0:
            continue
        assert int(hole.sum()) == (rows.max() - rows.min() + 1) * (columns.max() - columns.min() + 1)
        assert torch.allclose(after[hole], before.mean(), atol=1e-4)
        assert rows.max() - rows.min() < 12


def test_an_image_is_changed_alike_in_any_batch_and_otherwise_in_another_epoch() -> None:
    everything = lively(**dict.fromkeys(AUGMENT, 0.3) | {"flip_horizontal": True})
    whole = augment(images(), everything, Draws(3, 1, torch.arange(8)))
    part = augment(images()[[6, 2]], everything, Draws(3, 1, torch.tensor([6, 2])))
    assert torch.allclose(whole[[6, 2]], part, atol=1e-6)
    later = augment(images(), everything, Draws(3, 2, torch.arange(8)))
    assert (later - whole).abs().amax((1, 2, 3)).min() > 0.05
