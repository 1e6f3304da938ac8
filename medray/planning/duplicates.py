"""Images that are the same to the last pixel, found by the digests of their prepared values. Pure.

A digest is an int64 (`medray.engine.digests`); 0 stands for an image that says nothing, such as an
empty one, and is the same as no other.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from medray.contracts import Array


def copies_in_train(split: Array, digests: Array) -> Array:
    """bool (N,): training examples whose image is a tuning example's too.

    A subject is in one split, so that the two are of different subjects. Kept, they would be learnt by
    heart and counted as tuned.

    Args:
        split: int8 (N,), 0 train and 1 tuning.
    """
    tuning = np.unique(digests[split == 1])
    return np.asarray((split == 0) & (digests != 0) & np.isin(digests, tuning))


def learnt_before(digests: Array, learnt: Mapping[str, Array]) -> Array:
    """bool (N,): images that a model was made with.

    Args:
        learnt: split -> int64 digests (`medray.storage.model_images`).
    """
    seen = np.concatenate([np.zeros(0, np.int64), *learnt.values()])
    return np.asarray((digests != 0) & np.isin(digests, seen))
