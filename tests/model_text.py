"""What people and trainings say of the models of the tests."""

from __future__ import annotations

from typing import Any

import numpy as np

from medray.metrics.evaluate import evaluate_binary

# `[model.card]` of a recipe that promotes
CARD = {
    "intended_use": "To test medray.",
    "exclusions": "Not for any patient.",
    "limits": "It has learnt from drawings.",
    "licence": "Apache-2.0.",
}
SCORES = [0.9, 0.8, 0.7, 0.6, 0.55, 0.3, 0.2, 0.1]  # of eight tuning subjects
TRUTH = [1, 1, 0, 1, 1, 0, 0, 0]
AUROC = 14 / 16  # pairs that are in order


def tuning_metrics(label: str = "opacity") -> dict[str, Any]:
    """JSON of the metrics of `SCORES`."""
    scores, truth = np.array(SCORES), np.array(TRUTH, float)
    found = evaluate_binary(scores, truth, scores >= 0.5, 0.5, np.arange(8), resamples=50, seed=1)
    return {label: found.to_json()}


def complete_record(run_id: str, **changes: Any) -> dict[str, Any]:
    """The record of a version whose card leaves nothing empty."""
    record = {
        "run_id": run_id,
        "trained_on": "2026-03-01",
        "code_version": "1.0",
        "recipe_sha256": "r" * 64,
        "tables_read": {"images": 1, "labels": 2},
        "split": {"salt": "s", "tuning": 0.2, "held_out": 0.2, "label": None},
        "history": [],
        "declared": CARD,
        "data": {"question": "opacity: yes or no", "splits": {"train": {"inputs": 40, "subjects": 30}}},
        "tuning": tuning_metrics(),
        "calibration": {"method": "a temperature and a bias", "questions": {}},
    }
    return {**record, **changes}
