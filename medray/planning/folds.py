"""Folds for cross-validation: who is out of which fold, who learns and who tunes. Pure.

What is divided are groups: subjects that share an image are one. Groups are dealt out one by one, in
the order of a salted hash within their stratum, so that every fold has as many groups, and as many of
each answer, as can be (stratified folds: Kohavi, IJCAI 1995). The order of the inputs plays no part.
"""

from __future__ import annotations

import hashlib

import numpy as np

from medray.contracts import Array
from medray.errors import SplitError
from medray.planning.splits import check_apart

TRAIN, TUNING, OUT = 0, 1, 2  # parts of one fold's examples
MOST_ANSWERS = 10  # a target of more different values is a number, and is cut into fifths
FIFTHS = (0.2, 0.4, 0.6, 0.8)


def groups(subjects: Array, digests: Array | None) -> Array:
    """int64 (N,): the group of each example, named after its lowest subject.

    Args:
        subjects: int64 (N,).
        digests: int64 (N,) of the examples' images, 0 where one says nothing; None where examples are
            no images. Subjects that share one, directly or through others, are one group.
    """
    if digests is None:
        return np.asarray(subjects, np.int64)
    known, member = np.unique(subjects, return_inverse=True)
    telling = digests != 0
    images, image = np.unique(digests[telling], return_inverse=True)
    holder = member[telling]
    group = np.arange(len(known))
    while True:
        lowest = np.full(len(images), len(known))
        np.minimum.at(lowest, image, group[holder])
        found = group.copy()
        np.minimum.at(found, holder, lowest[image])
        if (found == group).all():
            return np.asarray(known[group][member], np.int64)
        group = found


def assign_folds(group: Array, targets: Array, count: int, salt: str) -> Array:
    """int64 (N,): the fold of each example, 0 to count - 1.

    Args:
        group: int64 (N,) of `groups`.
        targets: (N, T), NaN where missing.

    Raises:
        SplitError: there are fewer groups than folds.
    """
    known, member = np.unique(group, return_inverse=True)
    if len(known) < count:
        raise SplitError(
            "[folds] count",
            f"{count} folds of {len(known)} subjects in train and tuning",
            "a subject or more in each fold",
            "ask for fewer folds, or label more subjects",
        )
    fold = np.empty(len(known), np.int64)
    fold[_dealt(known, member, targets, salt)] = np.arange(len(known)) % count
    return fold[member]


def parts_of_fold(
    subjects: Array, group: Array, targets: Array, fold: Array, number: int, share: float, salt: str
) -> Array:
    """int8 (N,): `OUT` for the examples of one fold, `TUNING` or `TRAIN` for the others.

    Args:
        share: of the other groups that tune; every so many of each stratum.

    Raises:
        SplitError: train or tuning is left empty, or a subject is in two parts.
    """
    parts = np.full(len(group), OUT, np.int8)
    rest = np.flatnonzero(fold != number)
    known, member = np.unique(group[rest], return_inverse=True)
    place = np.arange(len(known))
    tunes = np.empty(len(known), bool)
    tunes[_dealt(known, member, targets[rest], f"{salt} tuning")] = np.floor((place + 1) * share) > np.floor(
        place * share
    )
    parts[rest] = np.where(tunes[member], TUNING, TRAIN)
    if tunes.all() or not tunes.any():
        raise SplitError(
            f"fold {number + 1}",
            f"{len(known)} subjects to learn and tune with, and {int(tunes.sum())} of them for tuning",
            "one or more in train and in tuning",
            "ask for fewer folds or another tuning share, or label more subjects",
        )
    check_apart(subjects, parts, f"fold {number + 1}")
    return parts


def _dealt(known: Array, member: Array, targets: Array, salt: str) -> Array:
    """Places of the groups by stratum, then by salted hash."""
    hashes = np.array([_hash(int(one), salt) for one in known], np.uint64)
    return np.lexsort((hashes, strata(targets, member)))


def _hash(group: int, salt: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{salt}\x1f{group}".encode()).digest()[:8], "big")


def strata(targets: Array, member: Array) -> Array:
    """int64 (G,): the stratum of each group; neighbours are alike.

    A group's answer is its highest one (is there a positive?), and of a number the fifth in which its
    mean lies. Several targets count from the one that differs least often on, so that the rare positives of
    one question stand beside each other.

    Args:
        targets: (N, T), NaN where missing.
        member: int64 (N,), the place of each example's group.
    """
    columns = [_answers(target, member) for target in targets.T.astype(np.float64)]
    rarity = [int(np.sum(column != _most_frequent(column))) for column in columns]
    order = np.argsort(rarity, kind="stable")
    _, stratum = np.unique(np.stack([columns[place] for place in order], axis=1), axis=0, return_inverse=True)
    return np.asarray(stratum, np.int64).ravel()


def _answers(target: Array, member: Array) -> Array:
    """float64 (G,): -inf where no answer is known."""
    count = int(member.max()) + 1
    known = ~np.isnan(target)
    answer = np.full(count, -np.inf)
    if len(np.unique(target[known])) <= MOST_ANSWERS:
        np.maximum.at(answer, member[known], target[known])
        return answer
    many = np.bincount(member[known], minlength=count)
    some = many > 0
    mean = np.bincount(member[known], target[known], count)[some] / many[some]
    answer[some] = np.searchsorted(np.quantile(mean, FIFTHS), mean)
    return answer


def _most_frequent(column: Array) -> float:
    values, counts = np.unique(column, return_counts=True)
    return float(values[np.argmax(counts)])
