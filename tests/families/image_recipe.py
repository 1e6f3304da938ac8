"""An image recipe that the tests of this room change one word at a time."""

from __future__ import annotations

from typing import Any

from medray.families.image.config import ImageConfig

AUGMENT = {
    "rotate_degrees": 0, "translate": 0, "scale": 0, "shear_degrees": 0, "flip_horizontal": False,
    "brightness": 0, "contrast": 0, "gamma": 0, "noise": 0, "erase": 0,
}  # fmt: skip
CONFIG: dict[str, Any] = {
    "name": "image", "size": (28, 32), "channels": 1, "window": "full", "modalities": ["CR", "DX"],
    "frames": "single", "min_side": 20, "architecture": "small_cnn", "width": 8, "dropout": 0.1, "augment": AUGMENT,
}  # fmt: skip


def config(**changes: Any) -> ImageConfig:
    return ImageConfig(**(CONFIG | changes))
