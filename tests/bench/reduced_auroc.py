"""What `reduced = true` does to a trained model: AUROC of one network on images prepared both ways.

    python tests/bench/reduced_auroc.py --data pneumoniamnist.npz --seeds 3

Real radiographs (MedMNIST's, 28 x 28) are enlarged to a side of 448, get grain, and become lossless
JPEG 2000 of 12 bits in DICOM. All are ingested, and prepared at 28 from the full decode and from the
reduced one. For each seed a network learns from the full ones and answers the test split of both, and
another learns from the reduced ones. Intervals: 95%, 1,000 bootstraps of the test images.
"""

from __future__ import annotations

import argparse
from multiprocessing import get_context
from typing import Any

import numpy as np
import torch
from dicom_archive import Made, dicom_file
from PIL import Image
from prepare_dicom import config, row_of

from medray.families.image.collate import collate
from medray.families.image.network import build
from medray.families.image.prepare import prepare
from medray.families.image.survey import summarise, survey
from medray.metrics.bootstrap import Resampling
from medray.metrics.discrimination import auroc
from medray.metrics.paired import areas, paired

SIDE, SIZE, GRAIN = 448, 28, 60.0  # grain: standard deviation of 4,096 levels
FULL, REDUCED = config(SIZE, False), config(SIZE, True)
EPOCHS, BATCH = 12, 64
RESAMPLING = Resampling(resamples=1000, seed=0, level=0.95)


def both_ways(task: tuple[int, Any]) -> tuple[Any, Any]:
    """uint8 (28, 28) of one image from the full decode, and from the reduced one."""
    number, small = task
    large = np.asarray(Image.fromarray(small).resize((SIDE, SIDE), Image.Resampling.BICUBIC), np.float32) * 16
    grain = GRAIN * np.random.default_rng(number).standard_normal(large.shape)
    values = np.clip(np.rint(large + grain), 0, 4095).astype("<u2")
    row = row_of(Made("cxr_j2k", dicom_file("cxr_j2k", values, number, 1), ""))
    full, reduced = (prepare(row, way)[0].values[0] for way in (FULL, REDUCED))
    return full, reduced


def learnt(images: Any, labels: Any, seed: int) -> Any:
    """A function from uint8 (N, 28, 28) to scores."""
    torch.manual_seed(seed)
    summary = summarise(survey(images[:, None], FULL))
    network = build(FULL, summary, 1).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(network.parameters(), 2e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, EPOCHS * (len(images) // BATCH))
    dice = np.random.default_rng(seed)
    wanted = torch.from_numpy(labels.astype(np.float32))
    for _ in range(EPOCHS):
        order = dice.permutation(len(images))[: len(images) // BATCH * BATCH].reshape(-1, BATCH)
        for chosen in order:
            logits = network(collate(images[chosen, None], FULL, summary, torch.device("cpu")))[:, 0]
            optimizer.zero_grad()
            torch.nn.functional.binary_cross_entropy_with_logits(logits, wanted[chosen]).backward()
            optimizer.step()
            schedule.step()
    network.eval()

    def scores(others: Any) -> Any:
        with torch.inference_mode():
            found = network(collate(others[:, None], FULL, summary, torch.device("cpu")))[:, 0]
        return found.numpy().astype(np.float64)

    return scores


def interval(one: Any, other: Any, positive: Any) -> str:
    """The second AUROC minus the first, with its interval."""
    second, first = (areas(scores[:, None], positive[:, None].astype(np.float64)) for scores in (other, one))
    (found,) = paired(second, first, np.arange(len(positive)), RESAMPLING, {0: True})
    return f"{found.difference.value:+.4f} ({found.difference.lower:+.4f} to {found.difference.upper:+.4f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--seeds", type=int, default=3)
    asked = parser.parse_args()
    data = np.load(asked.data)
    made = {}
    with get_context("spawn").Pool(2) as workers:
        for split in ("train", "test"):
            pairs = workers.map(both_ways, list(enumerate(data[f"{split}_images"])), chunksize=16)
            made[split] = tuple(np.stack(way) for way in zip(*pairs, strict=True))
    full, reduced = made["test"]
    positive, labels = data["test_labels"].ravel() == 1, data["train_labels"].ravel()
    change = np.abs(full.astype(int) - reduced)
    print(f"grey levels of 255: mean change {change.mean():.3f}, largest {change.max()}", flush=True)
    for seed in range(asked.seeds):
        scores = learnt(made["train"][0], labels, seed)
        of_full, of_reduced = scores(full), scores(reduced)
        other = learnt(made["train"][1], labels, seed)(reduced)
        print(
            f"seed {seed}: learnt full, scored full {auroc(of_full, positive):.4f}; "
            f"the same network, scored reduced {interval(of_full, of_reduced, positive)}; "
            f"learnt and scored reduced {interval(of_full, other, positive)}",
            flush=True,
        )


if __name__ == "__main__":
    main()
