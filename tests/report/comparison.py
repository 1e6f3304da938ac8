"""One comparison of a network and a simple model, which tests change one word at a time."""

from __future__ import annotations

from typing import Any


def compared(verdict: str | None = "better", **changes: Any) -> dict[str, Any]:
    """One comparison; the network is above by 0.05, below by 0.02, or level."""
    gain = {"better": 0.05, "worse": -0.04, "no better": -0.01, None: None}[verdict]
    ends = (None, None) if gain is None else (gain - 0.02, gain + 0.02)
    found = {
        "label": "death", "metric": "auroc", "primary": True, "baseline": "linear",
        "baseline_name": "logistic regression", "network": None if gain is None else 0.85 + gain, "simple": 0.85,
        "difference": {"value": gain, "lower": ends[0], "upper": ends[1], "undefined": 0}, "higher_is_better": True,
        "p": None if gain is None else 0.32, "verdict": verdict, "reason": None if verdict else "too few rows",
        "n": 800, "n_subjects": 790, "over": ["death"],
        "learnt": {"rows": 3200, "subjects": 3100, "summaries": 64}, "resamples": 1000, "seed": 1, "level": 0.95,
    }  # fmt: skip
    return found | changes


def document(**changes: Any) -> dict[str, Any]:
    """What stands in metrics.json, of an evaluation that asked for nothing more than answers."""
    return {
        "split": "held_out", "learnt_images": 0,
        "answers": {}, "baselines": [], "decision_curves": {}, "subgroups": None, "against": None, "definitions": {},
        "learning_curve": None,
        "calibration": "platt", "threshold_rule": "youden", "bootstrap": {"resamples": 50, "seed": 1, "level": 0.95},
        **changes,
    }  # fmt: skip
