"""Same id, same bytes: duplicate. Same id, other bytes: conflict, or the next version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

OnChange = Literal["conflict", "supersede"]


@dataclass(frozen=True)
class Instance:
    """One newly read instance. `place` says where: (chunk, source key)."""

    chunk: int
    source_key: str
    uid: str
    sha256: str


@dataclass(frozen=True)
class Version:
    """The newest version of an instance that stands in the lake."""

    number: int
    sha256: str


@dataclass(frozen=True)
class Decision:
    """What becomes of one instance: dropped for `reason`, or kept as `version`."""

    reason: str | None
    version: int


KEEP = Decision(reason=None, version=1)


def decide(
    new: Iterable[Instance], standing: Mapping[str, Version], on_change: OnChange
) -> dict[int, dict[str, Decision]]:
    """The decisions that differ from "keep as version 1", by chunk and source key.

    Args:
        new: in the order of the sorted source, so that the first of several equals is kept.
        standing: newest versions in the lake of the ids that occur in `new`.
    """
    latest = dict(standing)
    changes: dict[int, dict[str, Decision]] = {}
    for instance in new:
        before = latest.get(instance.uid)
        decision = _decide(instance, before, on_change)
        if decision.reason is None:
            latest[instance.uid] = Version(decision.version, instance.sha256)
        if decision != KEEP:
            changes.setdefault(instance.chunk, {})[instance.source_key] = decision
    return changes


def _decide(instance: Instance, before: Version | None, on_change: OnChange) -> Decision:
    if before is None:
        return KEEP
    if before.sha256 == instance.sha256:
        return Decision("duplicate", before.number)
    if on_change == "conflict":
        return Decision("conflict", before.number)
    return Decision(None, before.number + 1)
