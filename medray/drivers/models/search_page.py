"""What a search has found: as numbers, as a recipe for `train`, and as a page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from medray.drivers.reports import lineage_of
from medray.engine.search import Trial, best
from medray.recipes.draws import Between
from medray.recipes.toml_text import toml_text
from medray.recipes.tune import TuneRecipe, flat, said
from medray.report.search import search_report
from medray.storage.plans import Plan


def numbers(recipe: TuneRecipe, trials: Sequence[Trial]) -> dict[str, Any]:
    """What became of every trial, with its settings; JSON."""
    rows = [
        {
            "trial": trial.number,
            "values": flat(values),
            "state": trial.state,
            "failed": trial.failed,
            "epochs": len(trial.history),
            "loss": trial.loss,
            "tuning_losses": [_finite(record["tuning_loss"]) for record in trial.history],
        }
        for trial, values in zip(trials, recipe.trials(), strict=True)
    ]
    log = [name for name, chosen in recipe.search.ranges.items() if isinstance(chosen, Between) and chosen.log]
    return {"best": best(trials).number, "epochs": recipe.training.epochs, "log": log, "trials": rows}


def _finite(loss: float) -> float | None:
    """JSON has no word for other numbers."""
    return loss if math.isfinite(loss) else None


def best_recipe(plan: Plan, recipe: TuneRecipe, trials: Sequence[Trial]) -> str:
    """The winner as a train recipe in TOML, with where it comes from."""
    winner = best(trials)
    values = recipe.trials()[winner.number]
    document = recipe.with_values(values).model_dump(mode="json", exclude_unset=True, exclude_none=True)
    own = trials[0]
    known = f"{own.loss:.4f}" if own.loss is not None else "none"
    comments = [
        f"Found by a search: run {plan.run_id}, recipe {recipe.name}, {len(trials)} trials.",
        f"Trial {winner.number}, tuning loss {winner.loss:.4f}; the searched recipe's own settings (trial 0): {known}.",
        f"Searched: {said(values)}",
        "The trial was chosen by that loss, which is optimistic therefore: the held-out split says how good it is.",
    ]
    return toml_text(document, comments)


def search_page(plan: Plan, recipe: TuneRecipe, facts: Mapping[str, Any], rungs: Sequence[int], file: str) -> str:
    """The report as one HTML page."""
    searched = ", ".join(recipe.search.ranges)
    return search_report(
        title=f"Search of {recipe.name}",
        subtitle=f"{len(facts['trials'])} trials; searched: {searched}",
        facts=(
            ("Run", plan.run_id[:12]),
            ("Run date", plan.run_date),
            ("Train inputs", f"{plan.facts['train']:,}"),
            ("Tuning inputs", f"{plan.facts['tuning']:,}"),
        ),
        found=facts,
        rungs=rungs,
        recipe_file=file,
        lineage=lineage_of(plan),
    )
