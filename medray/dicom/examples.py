"""The real files that come with pydicom: small, of every kind, some broken on purpose."""

from __future__ import annotations

import shutil
from pathlib import Path

import pydicom

FOLDER = Path(pydicom.__file__).parent / "data" / "test_files"


def example_files() -> tuple[Path, ...]:
    """Every file of pydicom's test data, sorted; text and DICOMDIR sets among them."""
    return tuple(sorted(path for path in FOLDER.rglob("*") if path.is_file()))


def copy_examples(folder: Path) -> tuple[Path, ...]:
    """Copies them below `folder/pydicom`, and returns the copies in the order of `example_files`."""
    copies = tuple(folder / "pydicom" / path.relative_to(FOLDER) for path in example_files())
    for path, copy in zip(example_files(), copies, strict=True):
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    return copies
