"""How scores became probabilities and decisions, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Json = Mapping[str, Any]

_CALIBRATION = {
    "platt": "Platt scaling (a slope and a bias, learnt on the tuning split)",
    "temperature": "temperature scaling (a slope, learnt on the tuning split)",
    "isotonic": "isotonic regression (a rising curve, learnt on the tuning split)",
    "none": "none: probabilities are the network's own",
}
_RULES = {
    "youden": "the highest sensitivity + specificity",
    "accuracy": "the most right decisions",
    "min_sensitivity_ppv": "the highest of the lower of sensitivity and PPV",
}
_OTHER = {"sensitivity": "specificity", "specificity": "sensitivity"}


@dataclass(frozen=True)
class Basis:
    """What is told of all answers of an evaluation.

    Attributes:
        calibration: the word of the recipe; None where the task has none.
        rule: of the threshold, as in the recipe; None where nothing is decided by one.
        curves: decision curves by answer.
    """

    calibration: str | None = None
    rule: str | Json | None = None
    curves: Mapping[str, Json] = field(default_factory=dict)

    @property
    def calibration_words(self) -> str:
        return _CALIBRATION.get(self.calibration or "", "")

    @property
    def rule_words(self) -> str:
        """ "chosen on the tuning split for the highest specificity at a sensitivity of 0.95 or more"."""
        if self.rule is None:
            return ""
        if isinstance(self.rule, str):
            return f"chosen on the tuning split for {_RULES[self.rule]}"
        own, bound = str(self.rule["rule"]), self.rule["at_least"]
        return f"chosen on the tuning split for the highest {_OTHER[own]} at a {own} of {bound:g} or more"


NOTHING = Basis()


def basis(evaluation: Json) -> Basis:
    """Of the document of an evaluation."""
    return Basis(evaluation.get("calibration"), evaluation.get("threshold_rule"), evaluation["decision_curves"])
