"""What `[family]` of a recipe may be: the configs of all families, told apart by `name`."""

from __future__ import annotations

from medray.families.image.config import ImageConfig

FamilyConfig = ImageConfig  # a second family makes this a union with discriminator "name"
