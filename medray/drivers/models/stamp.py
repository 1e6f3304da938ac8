"""What every row of a run shares."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from medray.storage.models import Registered
from medray.storage.plans import Plan


@dataclass(frozen=True)
class Stamp:
    """Which model, code, recipe and run have made a row, and when."""

    model: Registered
    code_version: str
    recipe_sha256: str
    run_id: str
    run_date: str
    scored_at: datetime

    def columns(self) -> dict[str, Any]:
        return {
            "model_name": self.model.name,
            "model_version": self.model.version,
            "model_sha256": self.model.sha256,
            "code_version": self.code_version,
            "recipe_sha256": self.recipe_sha256,
            "run_id": self.run_id,
            "run_date": date.fromisoformat(self.run_date),
            "scored_at": self.scored_at,
        }


def stamp_of(plan: Plan, model: Registered) -> Stamp:
    """Of a run as it was planned."""
    return Stamp(model, plan.code_version, plan.recipe_sha256, plan.run_id, plan.run_date, plan.planned_at)
