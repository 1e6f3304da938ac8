"""A folder with an archive beside the lake that is made of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Place:
    """Where a scene stands."""

    folder: Path

    @property
    def lake(self) -> str:
        return str(self.folder / "lake")

    @property
    def archive(self) -> Path:
        return self.folder / "archive"
