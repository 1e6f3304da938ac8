"""Do tonight's scores and inputs look like the reference's, or like nights that were accepted?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from medray.metrics.drift import Drift, drift
from medray.planning.gate.finding import ALPHA, Finding
from medray.planning.gate.history import Night, references
from medray.planning.gate.observed import ALL, Group, Reference, judged_groups, known_as, scales_of
from medray.planning.gate.scale import Scale
from medray.planning.gate.trait_bins import aligned, lower_edge

KEY_LETTERS = 8  # of a site's or scanner's key, as people are shown it


@dataclass(frozen=True)
class Shift:
    """One quantity of one group of tonight against one reference.

    Attributes:
        group, kind, name: "scanner <key>", "score" or "trait", label or trait as people know it.
        against: "training", "recent nights" or "the released night of ...".
        scale: the bins: inner edges, or categories.
        tonight, reference: counts in them.
    """

    group: str
    kind: Literal["score", "trait"]
    name: str
    against: str
    scale: Scale
    tonight: Sequence[int]
    reference: Sequence[int]
    drift: Drift

    @property
    def about(self) -> str:
        what = f"scores of {self.name}" if self.kind == "score" else f"input trait '{self.name}'"
        return about(what, self.group)


def about(what: str, group: str) -> str:
    """What a finding is about, in words."""
    return what if group == ALL else f"{what}, {shown(group)}"


def shown(group: str) -> str:
    """A group as people are shown it: the beginning of its key."""
    kind, _, key = group.partition(" ")
    return f"{kind} {key[:KEY_LETTERS]}".strip()


def shifts(tonight: Night, seen: Sequence[Night], reference: Reference, fewest: int) -> list[Shift]:
    """Every comparison that enough subjects allow. Training knew no sites: what it knew stands for the
    traits of each group, and for the scores of all together only."""
    scales = scales_of(reference)
    found: list[Shift] = []
    for group, counts in judged_groups(tonight.observed, fewest):
        training = reference["counts"] if group == ALL else {**reference["counts"], "scores": {}}
        for against, other in [("training", training), *references(seen, tonight.model_sha256, group)]:
            if other["subjects"] >= fewest:
                found += _scores(group, against, counts, other, scales)
                found += _traits(group, against, counts, other, reference)
    return found


def check_shifts(found: Sequence[Shift], psi: float, ks: float) -> list[Finding]:
    """A quantity holds the night when it is far from everything that it was compared with; far from
    some of it, it is noted."""
    alpha = ALPHA / max(len(found), 1)
    findings = []
    for alike in _by_quantity(found).values():
        far = [one for one in alike if _is_far(one.drift, psi, ks, alpha)]
        if not far:
            continue
        holds = len(far) == len(alike)
        nearest = min(alike, key=lambda one: one.drift.psi)
        worst = nearest if holds else far[0]
        told = f"PSI {worst.drift.psi:.2f}, KS {worst.drift.ks:.2f} against {worst.against}"
        allowed = f"PSI {psi:g}, KS {ks:g}" + ("" if holds else f"; like {nearest.against}")
        findings.append(Finding("drift", holds, worst.about, told, allowed))
    return findings


def _is_far(found: Drift, psi: float, ks: float, alpha: float) -> bool:
    return (found.psi > psi and found.psi_p < alpha) or (found.ks > ks and found.ks_p < alpha)


def _by_quantity(found: Sequence[Shift]) -> Mapping[tuple[str, str, str], list[Shift]]:
    alike: dict[tuple[str, str, str], list[Shift]] = {}
    for one in found:
        alike.setdefault((one.group, one.kind, one.name), []).append(one)
    return alike


def _scores(group: str, against: str, counts: Group, other: Group, scales: Mapping[str, Scale]) -> Iterator[Shift]:
    for label, scale in scales.items():
        tonight, reference = counts["scores"].get(label, []), other["scores"].get(label, [])
        if sum(tonight) and sum(reference):
            apart = drift(reference, tonight, ordered=scale.ordered, inputs=counts["subjects"])
            yield Shift(group, "score", label, against, scale, tonight, reference, apart)


def _traits(group: str, against: str, counts: Group, other: Group, training: Reference) -> Iterator[Shift]:
    for name in sorted(counts["traits"].keys() & other["traits"].keys()):
        bins, reference, tonight = aligned(other["traits"][name], counts["traits"][name])
        if sum(tonight) and sum(reference):
            apart = drift(reference, tonight, ordered=True, inputs=counts["subjects"])
            scale = Scale(tuple(lower_edge(one) for one in bins[1:]), None)
            yield Shift(group, "trait", known_as(training, name), against, scale, tonight, reference, apart)
