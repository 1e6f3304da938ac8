"""Metrics in words: their names, what they mean, their intervals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from medray.report.digits import count
from medray.report.sections import Interval, Number, Table

Json = Mapping[str, Any]

NAMES = {
    "auroc": "AUROC",
    "auprc": "AUPRC",
    "accuracy": "Accuracy",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "ppv": "PPV",
    "npv": "NPV",
    "f1": "F1",
    "min_sensitivity_ppv": "Event-1 score",
    "brier": "Brier score",
    "ece": "Calibration error (ECE)",
    "calibration_slope": "Calibration slope",
    "calibration_intercept": "Calibration intercept",
    "observed_to_expected": "Observed / expected",
    "macro_auroc": "Macro AUROC",
    "balanced_accuracy": "Balanced accuracy",
    "quadratic_kappa": "Quadratic kappa",
    "rank_mae": "Mean distance",
    "within_one": "Within one class",
    "mae": "MAE",
    "rmse": "RMSE",
    "r2": "R\N{SUPERSCRIPT TWO}",
    "mean_error": "Mean error (bias)",
    "coverage": "Coverage",
    "width": "Interval width",
}
MEANINGS = {
    "auroc": "chance that a random positive scores above a random negative; 0.5 is a coin",
    "auprc": "mean precision over all sensitivities; a useless score reaches the prevalence",
    "accuracy": "share of decisions that are right",
    "sensitivity": "share of positives that are found",
    "specificity": "share of negatives that are cleared",
    "ppv": "share of positive decisions that are right",
    "npv": "share of negative decisions that are right",
    "f1": "harmonic mean of PPV and sensitivity",
    "min_sensitivity_ppv": "the lower of sensitivity and PPV (PhysioNet challenge 2012, event 1)",
    "brier": "mean squared distance of score and truth; lower is better",
    "ece": "mean gap between score and observed share, over bins of equal size; lower is better",
    "calibration_slope": "1 is honest; below 1 scores are too extreme, above 1 too timid (Cox)",
    "calibration_intercept": "0 is honest; above 0 scores are too low on the whole, below 0 too high (Cox)",
    "macro_auroc": "mean AUROC of the parts, each against the rest",
    "balanced_accuracy": "mean share found per class, whatever the class sizes",
    "quadratic_kappa": "agreement beyond chance, weighted by squared distance; 0 is chance, 1 perfect",
    "rank_mae": "mean distance of decision and truth, in classes; lower is better",
    "within_one": "share decided for the right class or a neighbour",
    "mae": "mean absolute error, in the units of the answer; lower is better",
    "rmse": "root of the mean squared error, in the same units; large errors weigh more",
    "r2": "share of the variance that is explained; 0 is answering the mean",
    "coverage": "share of truths inside their prediction interval",
    "width": "mean width of the prediction intervals, in the units of the answer",
}


def estimate(metrics: Json, name: str) -> Interval:
    """One entry of `metrics["metrics"]`."""
    found = metrics["metrics"][name]
    return Interval(found["value"], found["lower"], found["upper"])


def in_order(names: Iterable[str]) -> list[str]:
    """Names of metrics as they are told everywhere; JSON of a store has them by the alphabet."""
    order = {name: place for place, name in enumerate(NAMES)}
    return sorted(names, key=lambda name: order.get(name, len(order)))


def number(metrics: Json, name: str, meaning: str = "") -> Number:
    """A headline number with its interval; `meaning` stands for what is said of it everywhere."""
    return Number(NAMES[name], estimate(metrics, name), meaning or MEANINGS[name])


def counted(metrics: Json) -> str:
    """Examples and subjects."""
    return f"{count(metrics['n'])} examples of {count(metrics['n_subjects'])} subjects"


def metric_table(title: str, metrics: Json) -> Table:
    """Every metric with its interval and what it means."""
    rows = tuple((NAMES[name], estimate(metrics, name), MEANINGS[name]) for name in in_order(metrics["metrics"]))
    return Table(title, ("Metric", "Value", "Meaning"), rows, interval_note(metrics))


def interval_note(metrics: Json) -> str:
    """How the intervals were made, and what is not in them."""
    undefined = {NAMES[name]: found["undefined"] for name, found in metrics["metrics"].items()}
    left_out = ", ".join(f"{name} {count(times)}" for name, times in undefined.items() if times)
    text = (
        f"In brackets: {100 * metrics['level']:g}% intervals from {count(metrics['resamples'])} bootstrap "
        f"resamples of subjects (seed {metrics['seed']})."
    )
    return f"{text} Not defined in some of them, and left out: {left_out}." if left_out else text


def no_width(value: Interval) -> bool:
    """Every resample gave the same value."""
    return value.lower is not None and value.lower == value.upper


# the one number that stands for all of an answer's kind
HEADLINES = {
    "binary": "auroc",
    "multilabel": "macro_auroc",
    "multiclass": "macro_auroc",
    "ordinal": "quadratic_kappa",
    "regression": "mae",
}


def headline(metrics: Json) -> tuple[str, Interval]:
    """Name and value of the one number that stands for an answer."""
    name = HEADLINES[metrics["kind"]]
    return NAMES[name], estimate(metrics, name)
