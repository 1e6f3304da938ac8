"""What of the examples would let a model know what it must not: found before it learns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from medray.baselines.question import question, truth
from medray.contracts import Array, Sums
from medray.drivers.inputs.reading import Reading
from medray.drivers.job import Job
from medray.drivers.models.plain_summaries import summaries
from medray.engine.digests import digests
from medray.engine.examples import Examples
from medray.errors import LabelError
from medray.planning.duplicates import copies_in_train
from medray.planning.splits import TRAIN, TUNING
from medray.planning.telltales import is_the_number, telltale
from medray.storage.model_images import save_images
from medray.storage.store import Store

_MOST = 4000  # examples whose summaries are looked at: an answer among the inputs shows in fewer


@dataclass(frozen=True)
class Clean:
    """Examples of a training of which none is in train and tuning both.

    Attributes:
        subjects: int64 (N,).
        images: int64 (N,) digests; None of records, which may honestly be equal.
        copies: training examples that were left out.
    """

    examples: Examples
    subjects: Array
    images: Array | None
    copies: int


def digests_of(reading: Reading, examples: Examples, store: Store) -> Array | None:
    """int64 (N,) of images; None of records."""
    return digests(store, examples) if reading.family.reads == "images" else None


def without_copies(reading: Reading, examples: Examples, subjects: Array, job: Job) -> Clean:
    """Training images that are tuning images too are left out; a warning tells of them."""
    images = digests_of(reading, examples, job.store)
    if images is None:
        return Clean(examples, subjects, None, 0)
    kept = ~copies_in_train(examples.split, images)
    copies = int((~kept).sum())
    if copies:
        job.tell.warn(copies_told(copies), event="leak", copies=copies)
    return Clean(examples.take(kept), subjects[kept], images[kept], copies)


def copies_told(copies: int) -> str:
    """A sentence for people."""
    return f"{copies:,} training images left out: tuning images of other subjects are the same to the last pixel"


def keep_images(clean: Clean, lake: str, sha256: str, store: Store) -> None:
    """With a stored model, so that its evaluation knows them again."""
    if clean.images is not None:
        tuning = clean.examples.split == 1
        save_images(store, lake, sha256, {TRAIN: clean.images[~tuning], TUNING: clean.images[tuning]})


def telltales(reading: Reading, summary: Sums, task: Any, examples: Examples, index: Array, job: Job) -> list[str]:
    """What the training examples at `index` give away, in words; each is told as a warning.

    Raises:
        LabelError: a plain summary is the answer itself.
    """
    some = index[np.unique(np.linspace(0, len(index) - 1, min(len(index), _MOST)).astype(int))]
    features = summaries(reading, summary, examples, some, job)
    found = list(_found(features, examples.targets[some], task))
    for told in found:
        job.tell.warn(told, event="leak")
    return found


def _found(features: Array, targets: Array, config: Any) -> Iterator[str]:
    asked = question(config.kind, config)
    for name, target in zip(asked.columns, truth(asked, targets).T, strict=True):
        if not asked.by_chance:
            place = is_the_number(features, target)
            if place is not None:
                raise _is_answer(name, place, features.shape[1])
            continue
        tells = telltale(features, target)
        if tells is not None and tells.is_answer:
            raise _is_answer(name, tells.summary, features.shape[1])
        if tells is not None:
            yield (
                f"plain summary {tells.summary + 1} of {features.shape[1]} alone tells {name} apart in training "
                f"(AUROC {tells.auroc:.4f}): look whether it was known at the time that is asked about"
            )


def _is_answer(name: str, place: int, count: int) -> LabelError:
    return LabelError(
        f"labels, question '{name}'",
        f"inputs that hold the answer itself (plain summary {place + 1} of {count} equals it in training)",
        "inputs that were known before the answer was",
        "take the answer's code out of [family] or of the archive's events, or give it the time when it was known",
    )
