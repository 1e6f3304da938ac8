"""Do tonight's scores and inputs look like the reference's, or like nights that were accepted?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from medray.metrics.drift import Drift, drift
from medray.planning.gate.finding import ALPHA, Finding
from medray.planning.gate.history import Night, references
from medray.planning.gate.observed import ALL, Group, Reference, Scales
from medray.planning.gate.scale import Scale

KEY_LETTERS = 8  # of a site's or scanner's key, as people are shown it


@dataclass(frozen=True)
class Shift:
    """One quantity of one group of tonight against one reference.

    Attributes:
        group, kind, name: "scanner <key>", "scores" or "traits", label or trait.
        against: "training", "recent nights" or "the released night of ...".
        tonight, reference: counts in the bins of `scale`, without what is missing.
    """

    group: str
    kind: str
    name: str
    against: str
    scale: Scale
    tonight: Sequence[int]
    reference: Sequence[int]
    drift: Drift

    @property
    def about(self) -> str:
        what = f"scores of {self.name}" if self.kind == "scores" else f"input trait '{self.name}'"
        return what if self.group == ALL else f"{what}, {shown(self.group)}"


def shown(group: str) -> str:
    """A group as people are shown it: the beginning of its key."""
    kind, _, key = group.partition(" ")
    return f"{kind} {key[:KEY_LETTERS]}".strip()


def shifts(tonight: Night, seen: Sequence[Night], reference: Reference, fewest: int) -> list[Shift]:
    """Every comparison that enough inputs allow. What training knew stands for each group: it knew
    no sites."""
    scales = Scales(reference)
    found: list[Shift] = []
    for group, counts in tonight.observed.items():
        if counts["subjects"] < fewest:
            continue
        known = [("training", reference["counts"]), *references(seen, tonight.model_sha256, group)]
        for against, other in known:
            if other["subjects"] >= fewest:
                found += _compared(group, against, counts, other, scales)
    return found


def check_shifts(found: Sequence[Shift], psi: float, ks: float) -> list[Finding]:
    """A quantity holds the night when it is far from everything that it was compared with; far from
    training alone, it is noted."""
    alpha = ALPHA / max(len(found), 1)
    findings = []
    for alike in _by_quantity(found).values():
        far = [one for one in alike if _is_far(one.drift, psi, ks, alpha)]
        if not far:
            continue
        nearest = min(alike, key=lambda one: one.drift.psi)
        worst = nearest if len(far) == len(alike) else far[0]
        findings.append(
            Finding(
                "drift",
                len(far) == len(alike),
                worst.about,
                f"PSI {worst.drift.psi:.2f}, KS {worst.drift.ks:.2f} against {worst.against}",
                f"PSI {psi:g}, KS {ks:g}" + ("" if len(far) == len(alike) else f"; like {nearest.against}"),
            )
        )
    return findings


def _is_far(found: Drift, psi: float, ks: float, alpha: float) -> bool:
    return (found.psi > psi and found.psi_p < alpha) or (found.ks > ks and found.ks_p < alpha)


def _by_quantity(found: Sequence[Shift]) -> Mapping[tuple[str, str, str], list[Shift]]:
    alike: dict[tuple[str, str, str], list[Shift]] = {}
    for one in found:
        alike.setdefault((one.group, one.kind, one.name), []).append(one)
    return alike


def _compared(group: str, against: str, counts: Group, other: Group, scales: Scales) -> Iterator[Shift]:
    for kind, known, mine, theirs in (
        ("scores", scales.scores, counts["scores"], other["scores"]),
        ("traits", scales.traits, counts["traits"], other["traits"]),
    ):
        for name, scale in known.items():
            tonight, reference = mine.get(name, [0])[:-1], theirs.get(name, [0])[:-1]
            if sum(tonight) and sum(reference):
                apart = drift(reference, tonight, ordered=scale.ordered, inputs=counts["subjects"])
                yield Shift(group, kind, name, against, scale, tonight, reference, apart)
