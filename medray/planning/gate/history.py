"""Earlier nights, and which of them tonight may be compared with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from medray.planning.gate.observed import Group, Observed, together, traits_together

Status = Literal["published", "held", "released", "rejected"]


@dataclass(frozen=True)
class Share:
    """`part` of `whole` inputs ended in a way that is watched."""

    part: int
    whole: int


@dataclass(frozen=True)
class Night:
    """One night as it is judged, and as it is kept in `runs`.

    Attributes:
        run_date: the night.
        status: what became of it.
        model_sha256: the model that scored.
        arrivals: objects, or candidate rows, that were not known before.
        usable: of these, what was ingested.
        inputs: that the model was asked for and had not answered: after a new model, old ones too.
        shares: quarantined and abstained, by what they are of ("quarantined of listed").
        observed: scores and traits.
    """

    run_date: date
    status: Status
    model_sha256: str
    arrivals: int
    usable: int
    inputs: int
    shares: Mapping[str, Share]
    observed: Observed


def accepted(nights: Sequence[Night], before: date, most: int) -> list[Night]:
    """The newest `most` nights before a date that were published or released, oldest first."""
    seen = [night for night in nights if night.run_date < before and night.status in ("published", "released")]
    return sorted(seen, key=lambda night: night.run_date)[-most:]


def references(nights: Sequence[Night], model_sha256: str, group: str) -> list[tuple[str, Group]]:
    """What a group of tonight may look like: its recent nights together, and each that a person
    released. Traits are those of nights of any model, scores of nights of this one (else empty)."""
    with_group = [night for night in nights if group in night.observed]
    released = [night for night in with_group if night.status == "released"]
    found = [("recent nights", with_group)] if with_group else []
    found += [(f"the released night of {night.run_date}", [night]) for night in released]
    return [(name, _pooled(chosen, model_sha256, group)) for name, chosen in found]


def _pooled(nights: Sequence[Night], model_sha256: str, group: str) -> Group:
    ours = together(night.observed for night in nights if night.model_sha256 == model_sha256).get(group)
    parts = [night.observed[group] for night in nights]
    return {
        "inputs": sum(part["inputs"] for part in parts),
        "subjects": sum(part["subjects"] for part in parts),
        "scores": ours["scores"] if ours else {},
        "traits": traits_together(parts),
    }
