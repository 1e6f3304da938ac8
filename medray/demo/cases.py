"""Images with answers: what a demonstration archive is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from medray.contracts import Array
from medray.demo.phantoms import phantom

SPLITS = ("train", "tuning", "held_out")
SHARES = (0.7, 0.15, 0.15)


@dataclass(frozen=True)
class Cases:
    """N radiographs.

    Attributes:
        images: uint8 (N, H, W), bright where the body is dense.
        labels: bool (N,), the finding is there.
        splits: N words of `SPLITS`; one for all images of a patient.
        patients: N patient identifiers that say that nobody is behind them.
    """

    images: Array
    labels: Array
    splits: tuple[str, ...]
    patients: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.images)

    def take(self, indices: Sequence[int]) -> Cases:
        """The cases at `indices`, in that order."""
        return Cases(
            self.images[list(indices)],
            self.labels[list(indices)],
            tuple(self.splits[i] for i in indices),
            tuple(self.patients[i] for i in indices),
        )


def synthetic(n: int, seed: int, size: int, first_patient: int = 0) -> Cases:
    """`n` drawn chest radiographs, half of them positive, of patients with one to three each.

    Args:
        seed: other seeds draw other chests.
        size: pixels of a side.
        first_patient: number of the first patient, so that a later batch brings new ones.
    """
    rng = np.random.default_rng([seed, n, size, first_patient])
    labels = rng.permutation(np.arange(n) % 2 == 1)
    images = [phantom(seed * 1_000_003 + i + first_patient, bool(labels[i]), size) for i in range(n)]
    owners = np.repeat(np.arange(n), rng.integers(1, 4, n))[:n]
    split_of = rng.choice(SPLITS, n, p=SHARES)
    return Cases(
        images=np.stack(images),
        labels=labels,
        splits=tuple(str(split_of[owner]) for owner in owners),
        patients=tuple(f"SYNTHETIC-{first_patient + owner:06d}" for owner in owners),
    )


def medmnist(file: Path) -> Cases:
    """All images of a MedMNIST v2 file with a binary label, in its own splits.

    MedMNIST tells no patients apart, so every image is a patient of its own.
    """
    names = dict(zip(("train", "val", "test"), SPLITS, strict=True))
    with np.load(file) as data:
        images = [data[f"{name}_images"] for name in names]
        labels = [data[f"{name}_labels"].reshape(-1) for name in names]
    splits = [word for word, part in zip(names.values(), images, strict=True) for _ in part]
    return Cases(
        images=np.concatenate(images),
        labels=np.concatenate(labels).astype(bool),
        splits=tuple(splits),
        patients=tuple(f"MEDMNIST-{index:06d}" for index in range(len(splits))),
    )
