"""All checks of a night together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from medray.planning.gate.finding import Finding
from medray.planning.gate.gaps import check_gaps
from medray.planning.gate.history import Night, accepted
from medray.planning.gate.observed import Reference
from medray.planning.gate.rates import check_rates
from medray.planning.gate.shifts import Shift, check_shifts, shifts
from medray.planning.gate.volume import check_volume
from medray.recipes.gate import Gate


@dataclass(frozen=True)
class Verdict:
    """Attributes:
    findings: what holds the night first.
    shifts: every comparison of scores and traits that was made.
    nights: how many earlier nights tonight was compared with.
    """

    findings: tuple[Finding, ...]
    shifts: tuple[Shift, ...]
    nights: int

    @property
    def held(self) -> bool:
        return any(one.holds for one in self.findings)

    def document(self) -> list[dict[str, Any]]:
        """The findings as JSON."""
        return [one.document() for one in self.findings]


def judge(
    tonight: Night, nights: Sequence[Night], reference: Reference | None, model_since: date, gate: Gate
) -> Verdict:
    """Whether tonight may be published.

    Args:
        tonight: its status does not matter.
        nights: earlier ones, in any order; only published and released ones are compared with.
        reference: of the model; None for a model without one: drift is not judged.
        model_since: when the model was promoted or trained.
    """
    seen = accepted(nights, tonight.run_date, gate.nights)
    findings = [*check_volume(tonight, seen, gate.volume), *check_rates(tonight, seen, gate.excess)]
    found: list[Shift] = []
    if reference is None:
        told = "no counts of what it was calibrated on: drift was not judged"
        findings.append(Finding("drift", False, "the model", told, "a model trained by this medray"))
    else:
        found = shifts(tonight, seen, reference, gate.min_inputs)
        findings += check_gaps(tonight, seen, reference, gate.min_inputs)
        findings += check_shifts(found, gate.psi, gate.ks)
    age = (tonight.run_date - model_since).days
    if age > gate.model_days:
        found_age = f"promoted {age:,} days ago"
        findings.append(Finding("stale", True, "the model", found_age, f"{gate.model_days:,} days"))
    ordered = sorted(findings, key=lambda one: not one.holds)
    return Verdict(tuple(ordered), tuple(found), len(seen))
