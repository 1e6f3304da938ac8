"""What `reduced = true` saves, and what it changes: a mixed archive prepared at one size, both ways.

    python tests/bench/prepare_dicom.py --files 100 --size 224

Prints, by kind and in all, CPU milliseconds a file (this process and its decoder child), their ratio, and
how far the grey levels of 0 to 255 are from those of the full decode: mean and largest absolute change.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from typing import Any

import numpy as np
from decode_dicom import cpu_seconds
from dicom_archive import KINDS, Made, made, mix

from medray.contracts import Good, SourceObject
from medray.dicom.config import DicomConfig
from medray.dicom.spec import SOURCE
from medray.families.image.config import ImageConfig
from medray.families.image.prepare import prepare
from medray.privacy.pseudonyms import Pseudonyms

KEY = Pseudonyms(bytes(32))
AUGMENT = {
    "rotate_degrees": 0, "translate": 0, "scale": 0, "shear_degrees": 0, "flip_horizontal": False,
    "brightness": 0, "contrast": 0, "gamma": 0, "noise": 0, "erase": 0,
}  # fmt: skip


def config(size: int, reduced: bool) -> ImageConfig:
    return ImageConfig.model_validate({
        "name": "image", "size": (size, size), "reduced": reduced, "channels": 1, "window": "dicom",
        "modalities": ["CT", "MR", "DX"], "frames": "single", "min_side": 20, "architecture": "small_cnn", "width": 8,
        "dropout": 0.1, "augment": AUGMENT,
    })  # fmt: skip


def row_of(one: Made) -> dict[str, Any]:
    """The row of `images` that an ingest makes of a file."""
    item = SourceObject("file", len(one.data), "")
    pieces = SOURCE.read([item], lambda _: one.data, KEY, DicomConfig(subject="PatientID"))
    (row,) = next(piece for piece in pieces if isinstance(piece, Good)).rows.to_pylist()
    return dict(row)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=100)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--also", type=int, default=2, help="files of each kind that the mix leaves out")
    asked = parser.parse_args()
    others = [kind for kind, (*_, share) in KINDS.items() if not share]
    costs: dict[str, list[tuple[float, float]]] = defaultdict(list)
    changes: dict[str, list[tuple[float, int]]] = defaultdict(list)
    ways = config(asked.size, False), config(asked.size, True)
    prepare(row_of(next(made(["ct_jpegls"]))), ways[0])  # the child has started
    for one in made(mix(asked.files) + others * asked.also):
        row, spent, images = row_of(one), [], []
        for way in ways:
            began = cpu_seconds()
            repeats = 3 if KINDS[one.kind][1] < 2048 else 1  # the child's CPU is counted in hundredths
            for _ in range(repeats):
                (example,) = prepare(row, way)
            spent.append((cpu_seconds() - began) / repeats)
            images.append(example.values.astype(int))
        costs[one.kind].append((spent[0], spent[1]))
        change = np.abs(images[1] - images[0])
        changes[one.kind].append((float(change.mean()), int(change.max())))
    for kind, spent_of in costs.items():
        full, small = (1000 * float(np.mean(column)) for column in zip(*spent_of, strict=True))
        mean, most = np.mean([m for m, _ in changes[kind]]), max(m for _, m in changes[kind])
        print(f"{kind:11} full {full:8.2f} ms  reduced {small:8.2f} ms  {full / small:6.1f} x   "
              f"change {mean:.2f} of 255, at most {most}")  # fmt: skip
    mixed = [pair for kind, found in costs.items() if KINDS[kind][3] for pair in found]
    full, small = (float(sum(column)) for column in zip(*mixed, strict=True))
    print(f"the mix of {len(mixed)}: full {full:.1f} CPU s, reduced {small:.1f} CPU s: {full / small:.1f} x")


if __name__ == "__main__":
    main()
