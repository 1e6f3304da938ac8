"""What an image recipe may say, and which header is in its range."""

from __future__ import annotations

from typing import Any

import pytest
from families.image_recipe import AUGMENT, CONFIG, config
from pydantic import ValidationError

from medray.contracts import Refusal
from medray.families.image.accepts import accepts
from medray.families.image.config import ImageConfig
from medray.families.image.prepare import layout, prepare_key
from medray.schema.reasons import REASONS

HEADER: dict[str, Any] = {
    "Modality": "DX", "PhotometricInterpretation": "MONOCHROME2", "NumberOfFrames": 1, "Rows": 20, "Columns": 900,
    "part_count": 1,
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(set(CONFIG) - {"width"}))
def test_nothing_has_a_default(name: str) -> None:
    with pytest.raises(ValidationError, match=name):
        ImageConfig(**{key: value for key, value in CONFIG.items() if key != name})


@pytest.mark.parametrize("name", sorted(AUGMENT))
def test_no_augmentation_has_a_default(name: str) -> None:
    with pytest.raises(ValidationError, match=name):
        config(augment={key: value for key, value in AUGMENT.items() if key != name})


@pytest.mark.parametrize(
    "changes",
    [
        {"width": None},
        {"architecture": "resnet18"},
        {"architecture": "densenet121", "width": None},
        {"size": (28, 7)},
        {"channels": 2},
        {"modalities": []},
        {"window": {"center": 40, "width": 0}},
        {"dropout": 1.0},
        {"colour": True},
    ],
)
def test_what_cannot_work_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        config(**changes)


@pytest.mark.parametrize(
    ("header", "changes", "reason"),
    [
        ({}, {}, None),
        ({"PhotometricInterpretation": "MONOCHROME1"}, {}, None),
        ({"Modality": "CT"}, {}, "modality_out_of_range"),
        ({"Modality": None}, {}, "modality_out_of_range"),
        ({"PhotometricInterpretation": "RGB"}, {}, "photometric_out_of_range"),
        ({"PhotometricInterpretation": "PALETTE COLOR"}, {"channels": 3}, None),
        ({}, {"channels": 3}, "photometric_out_of_range"),
        ({"NumberOfFrames": 2}, {}, "frames_out_of_range"),
        ({"NumberOfFrames": 2}, {"frames": "first"}, None),
        ({"NumberOfFrames": 2}, {"frames": "all"}, None),
        ({"Rows": 19}, {}, "size_out_of_range"),
        ({"Columns": 19}, {}, "size_out_of_range"),
        ({"part_count": 2}, {}, "size_out_of_range"),
    ],
)
def test_the_declared_range(header: dict[str, Any], changes: dict[str, Any], reason: str | None) -> None:
    found = accepts(HEADER | header, config(**changes))
    assert found == (None if reason is None else Refusal(reason))
    assert reason is None or reason in REASONS


def test_layout_is_channels_height_width() -> None:
    assert layout(config()).shape == (1, 28, 32)
    assert layout(config(channels=3)).shape == (3, 28, 32)


@pytest.mark.parametrize(
    "changes", [{"size": (32, 28)}, {"channels": 3}, {"window": "dicom"}, {"frames": "all"}, {"reduced": True}]
)
def test_the_cache_is_another_one_when_the_bytes_would_be(changes: dict[str, Any]) -> None:
    assert prepare_key(config(**changes)) != prepare_key(config())
    assert prepare_key(config(**changes))["prepare_version"] == 2
