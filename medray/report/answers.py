"""The JSON of `medray.metrics` -> sections of a report."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from medray.report import curves, decisions
from medray.report.digits import count, decimal, percent
from medray.report.sections import Figure, Gallery, Group, Highlights, Interval, Number, Table, Text

Json = Mapping[str, Any]

FEW = 30  # below this many of a class, a rate moves by more than 3 points with one example
OVERVIEW = ("auroc", "auprc", "sensitivity", "specificity", "ece")
NAMES = {
    "auroc": "AUROC",
    "auprc": "AUPRC",
    "accuracy": "Accuracy",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "ppv": "PPV",
    "npv": "NPV",
    "f1": "F1",
    "brier": "Brier score",
    "ece": "Calibration error (ECE)",
    "macro_auroc": "Macro AUROC",
    "balanced_accuracy": "Balanced accuracy",
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
    "brier": "mean squared distance of score and truth; lower is better",
    "ece": "mean gap between score and observed share, over bins of equal size; lower is better",
    "macro_auroc": "mean AUROC of the parts, each against the rest",
    "balanced_accuracy": "mean share found per class, whatever the class sizes",
}


def estimate(metrics: Json, name: str) -> Interval:
    """One entry of `metrics["metrics"]`."""
    found = metrics["metrics"][name]
    return Interval(found["value"], found["lower"], found["upper"])


def binary_group(label: str, metrics: Json) -> Group:
    """All about one yes-or-no answer: headline, cautions, figures, every metric."""
    return Group(
        title=label,
        note=_basis(metrics),
        sections=(
            *_cautions(metrics),
            _headline(metrics),
            _figures(label, metrics),
            metric_table("All metrics", metrics),
        ),
    )


def multiclass_group(label: str, metrics: Json) -> Group:
    """All about one answer out of several classes."""
    numbers = tuple(_number(metrics, name) for name in metrics["metrics"])
    classes = metrics["classes"]
    matrix = Figure(
        "Confusion matrix",
        decisions.confusion_matrix(metrics["confusion"], classes),
        f"Confusion matrix of {label} over {len(classes)} classes; rows are the truth.",
        "Shaded by the share of the row: the diagonal of a perfect model is dark.",
    )
    return Group(
        title=label,
        note=f"{_counted(metrics)}. Decided for the most probable class.",
        sections=(
            Highlights("", numbers),
            matrix,
            overview("Each class against the rest", metrics["by_class"]),
        ),
    )


def overview(title: str, parts: Mapping[str, Json]) -> Table:
    """One row for each answer."""
    return Table(
        title=title,
        columns=("Answer", "Examples", "Positive", *(NAMES[name] for name in OVERVIEW)),
        rows=tuple(
            (label, part["n"], part["n_positive"], *(estimate(part, name) for name in OVERVIEW))
            for label, part in parts.items()
        ),
        note=_interval_note(next(iter(parts.values()))) if parts else "",
    )


def metric_table(title: str, metrics: Json) -> Table:
    """Every metric with its interval and what it means."""
    rows = tuple(
        (NAMES[name], estimate(metrics, name), MEANINGS[name]) for name in metrics["metrics"]
    )
    return Table(title, ("Metric", "Value", "Meaning"), rows, _interval_note(metrics))


def _counted(metrics: Json) -> str:
    return f"{count(metrics['n'])} examples of {count(metrics['n_subjects'])} subjects"


def _basis(metrics: Json) -> str:
    positive = metrics["n_positive"]
    text = f"{_counted(metrics)}; {count(positive)} positive ({percent(positive, metrics['n'])})."
    if metrics["threshold"] is None:
        return f"{text} Decided for the most probable class."
    return f"{text} Decided positive at a score of {decimal(metrics['threshold'])} or above."


def _interval_note(metrics: Json) -> str:
    undefined = {NAMES[name]: found["undefined"] for name, found in metrics["metrics"].items()}
    left_out = ", ".join(f"{name} {count(times)}" for name, times in undefined.items() if times)
    text = (
        f"In brackets: {100 * metrics['level']:g}% intervals from {count(metrics['resamples'])} bootstrap "
        f"resamples of subjects (seed {metrics['seed']})."
    )
    return f"{text} Not defined in some of them, and left out: {left_out}." if left_out else text


def _cautions(metrics: Json) -> tuple[Text, ...]:
    positive, negative = metrics["n_positive"], metrics["n"] - metrics["n_positive"]
    found = []
    for name, size in (("positive", positive), ("negative", negative)):
        if size == 0:
            found.append(f"There is no {name} example: rank metrics are not defined.")
        elif size < FEW:
            found.append(f"Only {size} {name} {'example' if size == 1 else 'examples'}: read the intervals.")
    if metrics["n_subjects"] == 1:
        found.append("All examples are of one subject: no interval can be given.")
    flat = [NAMES[name] for name in metrics["metrics"] if _no_width(estimate(metrics, name))]
    if flat:
        found.append(
            f"No width to the interval of {', '.join(flat)}: every resample gave the same value. This is not certainty."
        )
    return (Text("", tuple(found), "caution"),) if found else ()


def _no_width(value: Interval) -> bool:
    return value.lower is not None and value.lower == value.upper


def _number(metrics: Json, name: str, meaning: str = "") -> Number:
    return Number(NAMES[name], estimate(metrics, name), meaning or MEANINGS[name])


def _headline(metrics: Json) -> Highlights:
    cells = metrics["confusion"]
    hits, alarms = cells["true_positive"], cells["false_positive"]
    missed, cleared = cells["false_negative"], cells["true_negative"]
    return Highlights(
        "",
        (
            _number(metrics, "auroc"),
            _number(metrics, "sensitivity", _of(hits, hits + missed, "positives found")),
            _number(metrics, "specificity", _of(cleared, cleared + alarms, "negatives cleared")),
            _number(metrics, "ppv", _of(hits, hits + alarms, "positive decisions right")),
            _number(metrics, "npv", _of(cleared, cleared + missed, "negative decisions right")),
            _number(metrics, "ece", "mean gap between score and observed share"),
        ),
    )


def _of(part: int, whole: int, what: str) -> str:
    return f"{count(part)} of {count(whole)} {what}"


def _figures(label: str, metrics: Json) -> Gallery:
    ranked = (_roc(label, metrics), _precision_recall(label, metrics)) if metrics["roc"]["x"] else ()
    return Gallery(
        "", (_scores(label, metrics), *ranked, _calibration(label, metrics), _confusion(label, metrics))
    )


def _scores(label: str, metrics: Json) -> Figure:
    histogram = metrics["histogram"]
    return Figure(
        "Scores by truth",
        decisions.score_histogram(
            histogram["edges"], histogram["negative"], histogram["positive"], metrics["threshold"]
        ),
        f"Histogram of the scores of {label}, positives and negatives apart.",
        "Each class adds up to one. Positives left of the threshold are missed, negatives right of it false alarms.",
        wide=True,
    )


def _roc(label: str, metrics: Json) -> Figure:
    area = estimate(metrics, "auroc")
    image = curves.roc_curve(
        metrics["roc"], estimate(metrics, "sensitivity").value, estimate(metrics, "specificity").value
    )
    return Figure(
        "ROC curve", image, f"ROC curve of {label}, area {decimal(area.value)}.",
        "Every threshold at once. The dashed diagonal is chance.",
    )  # fmt: skip


def _precision_recall(label: str, metrics: Json) -> Figure:
    area = estimate(metrics, "auprc")
    image = curves.precision_recall_curve(
        metrics["precision_recall"],
        metrics["n_positive"] / metrics["n"],
        estimate(metrics, "sensitivity").value,
        estimate(metrics, "ppv").value,
    )
    return Figure(
        "Precision and recall", image,
        f"Precision against recall of {label}, average precision {decimal(area.value)}.",
        "The dashed line is what chance would reach.",
    )  # fmt: skip


def _calibration(label: str, metrics: Json) -> Figure:
    return Figure(
        "Calibration",
        curves.calibration_curve(metrics["reliability"], metrics["histogram"]),
        f"Observed share of positives against the mean score of {label}, in bins of equal size.",
        "On the diagonal, a score of 0.8 is right eight times in ten. Bars are intervals by subject.",
    )


def _confusion(label: str, metrics: Json) -> Figure:
    cells = metrics["confusion"]
    rows = (
        (cells["true_negative"], cells["false_positive"]),
        (cells["false_negative"], cells["true_positive"]),
    )
    return Figure(
        "Confusion matrix",
        decisions.confusion_matrix(rows, ("negative", "positive")),
        f"{label}: {cells['true_positive']} true positive, {cells['false_positive']} false positive, "
        f"{cells['false_negative']} false negative, {cells['true_negative']} true negative.",
        "Rows are the truth, columns the decision at the stored threshold."
        if metrics["threshold"] is not None
        else "Rows are the truth, columns the decision.",
    )
