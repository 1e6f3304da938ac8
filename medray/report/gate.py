"""What the gate of a night found, in words and pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from medray.report.decisions import category_shift, score_shift
from medray.report.digits import count
from medray.report.sections import Figure, Group, Quantity, Table, Text

_ROWS = 15
_REASONS = 4


@dataclass(frozen=True)
class Found:
    """One finding: `check`, what it is `about`, what was `found`, what is `allowed`; whether it `holds` the night."""

    check: str
    holds: bool
    about: str
    found: str
    allowed: str


@dataclass(frozen=True)
class Compared:
    """One quantity of tonight beside one reference.

    Attributes:
        about, against: "scores of opacity", "training".
        edges: inner edges of bins, or None for categories; values: names of categories, or None.
        tonight, reference: counts, in these bins.
        psi, ks: distances.
    """

    about: str
    against: str
    edges: tuple[float, ...] | None
    values: tuple[str, ...] | None
    tonight: tuple[int, ...]
    reference: tuple[int, ...]
    psi: float
    ks: float


def verdict(found: Sequence[Found], held: bool, nights: int, run: str) -> Text:
    """Published or held, and what a person does now."""
    if held:
        why = [f"{one.check}: {one.about}: {one.found} (allowed: {one.allowed})" for one in found if one.holds]
        more = [f"and {len(why) - _REASONS} more, below"] if len(why) > _REASONS else []
        reasons = (*why[:_REASONS], *more)
        step = (
            f"Nothing of tonight is published. Look at the reasons; then `medray release {run}` publishes the answers "
            f"as they are, or `medray reject {run}` throws them away and has the inputs asked again."
        )
        return Text("HELD", (*reasons, step), "alarm")
    compared = f"Compared with {count(nights)} earlier night(s) and with what the model was calibrated on."
    noted = tuple(f"{one.check}: {one.about}: {one.found} (usual: {one.allowed})" for one in found)
    return Text("Published", (compared, *noted), "caution" if noted else "plain")


def findings(found: Sequence[Found]) -> Table:
    """Every finding, those that hold the night first."""
    rows = tuple(("holds" if one.holds else "noted", one.check, one.about, one.found, one.allowed) for one in found)
    return Table("Findings", ("", "Check", "What", "Found", "Allowed"), rows)


def comparisons(compared: Sequence[Compared]) -> Group:
    """The largest distances, and the three largest as pictures."""
    ordered = sorted(compared, key=lambda one: -one.psi)
    rows = tuple(
        (one.about, one.against, count(sum(one.tonight)), Quantity(f"{one.psi:.2f}"), Quantity(f"{one.ks:.2f}"))
        for one in ordered[:_ROWS]
    )
    note = (
        "PSI: population stability index, 0 for the same shares; KS: largest distance of the cumulative shares. "
        "A shift asks for a look: other patients, another scanner, another protocol, another unit."
    )
    table = Table("Largest distances", ("What", "Against", "Examples", "PSI", "KS"), rows, note)
    return Group("Scores and inputs against their references", (table, *(_picture(one) for one in ordered[:3])))


def _picture(one: Compared) -> Figure:
    if one.edges is None:
        names = (*(one.values or ()), "other")
        image = category_shift(names, one.tonight, one.reference, one.against)
    else:
        edges = _outer(one.edges)
        image = score_shift(edges, one.tonight, one.reference, one.about, one.against)
    alt = f"{one.about}: tonight ({count(sum(one.tonight))}) over {one.against} ({count(sum(one.reference))})."
    return Figure(f"{one.about}, against {one.against}", image, alt, wide=True)


def _outer(inner: tuple[float, ...]) -> list[float]:
    """With outer edges, so that open bins can be drawn as wide as their neighbours."""
    if not inner:
        return [0.0, 1.0]
    first = inner[1] - inner[0] if len(inner) > 1 else 1.0
    last = inner[-1] - inner[-2] if len(inner) > 1 else 1.0
    return [inner[0] - first, *inner, inner[-1] + last]
