"""What the demonstration is made of: drawn phantoms, or a MedMNIST file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from medray.demo.archive import write_labels, write_studies
from medray.demo.cases import Cases, medmnist, synthetic
from medray.errors import StorageError

MEDMNIST_DEFAULT = Path("~/.medmnist/pneumoniamnist.npz")
_PHANTOMS, _PHANTOM_SIDE, _TOMORROW = 900, 96, 40


@dataclass(frozen=True)
class Setting:
    """One demonstration.

    Attributes:
        words: what the images are, for the person who watches.
        today, tomorrow: the archive, and what comes in over night.
        label: the question.
        recipe: values for the recipes' placeholders.
    """

    words: str
    today: Cases
    tomorrow: Cases
    label: str
    recipe: dict[str, str]


def setting(file: Path | None) -> Setting:
    """Real radiographs when a MedMNIST file is named or lies in the package's default folder,
    otherwise phantoms."""
    if file is None and MEDMNIST_DEFAULT.expanduser().exists():
        file = MEDMNIST_DEFAULT.expanduser()
    return _phantoms() if file is None else _radiographs(file)


def _phantoms() -> Setting:
    tomorrow = synthetic(_TOMORROW, seed=2, size=_PHANTOM_SIDE, first_patient=_PHANTOMS)
    return Setting(
        "SYNTHETIC chest phantoms, drawn, with a planted opacity in half of them",
        synthetic(_PHANTOMS, seed=1, size=_PHANTOM_SIDE),
        tomorrow,
        "opacity",
        {
            "side": "64",
            "width": "16",
            "epochs": "16",
            "learning_rate": "0.004",
            "chunk_megabytes": "2",
            "licence": "drawn by medray, Apache-2.0",
        },
    )


def write_medmnist(file: Path, folder: Path, label: str) -> int:
    """Wrap all images of a MedMNIST file as DICOM below `folder/archive`. Returns their number."""
    cases = _read(file)
    paths = write_studies(folder / "archive", cases, first_day=date(2024, 1, 1))
    write_labels(folder / "labels.csv", paths, cases, label)
    return len(cases)


def _read(file: Path) -> Cases:
    try:
        return medmnist(file)
    except (OSError, KeyError, ValueError) as error:
        raise StorageError(
            f"file {file}",
            "no MedMNIST file with a binary label",
            "a MedMNIST v2 .npz such as pneumoniamnist.npz",
            "check the path",
        ) from error


def _radiographs(file: Path) -> Setting:
    cases = _read(file)
    held_out = np.flatnonzero(np.array(cases.splits) == "held_out")
    late = set(held_out[-_TOMORROW:].tolist())
    early = [row for row in range(len(cases)) if row not in late]
    return Setting(
        f"real chest radiographs of {file.name} (MedMNIST), wrapped as DICOM",
        cases.take(early),
        cases.take(sorted(late)),
        "pneumonia",
        {
            "side": "28",
            "width": "32",
            "epochs": "12",
            "learning_rate": "0.003",
            "chunk_megabytes": "2",
            "licence": "that of the MedMNIST file (CC BY 4.0 for most of them)",
        },
    )
