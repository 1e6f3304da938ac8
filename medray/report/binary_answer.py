"""One yes-or-no answer: sections of a report."""

from __future__ import annotations

from collections.abc import Mapping

from medray.report import curves, decisions
from medray.report.basis import NOTHING, Basis
from medray.report.digits import count, decimal, percent
from medray.report.honesty import calibration_figure, calibration_table, dishonest
from medray.report.metric_words import NAMES, Json, counted, estimate, interval_note, metric_table, no_width, number
from medray.report.net_benefit import decision_figure
from medray.report.sections import Figure, Gallery, Group, Highlights, Table, Text

FEW = 30  # below this many of a class, a rate moves by more than 3 points with one example
OVERVIEW = ("auroc", "auprc", "sensitivity", "specificity")


def binary_group(label: str, metrics: Json, told: Basis = NOTHING) -> Group:
    """All about one yes-or-no answer: headline, cautions, figures, every metric."""
    return Group(
        title=label,
        note=_basis(metrics, told),
        sections=(
            *_cautions(metrics),
            _headline(metrics),
            _figures(label, metrics, told),
            *calibration_table(metrics, told),
            metric_table("All metrics", metrics),
        ),
    )


def overview(title: str, parts: Mapping[str, Json]) -> Table:
    """One row for each yes-or-no answer."""
    return Table(
        title=title,
        columns=("Answer", "Examples", "Positive", *(NAMES[name] for name in OVERVIEW)),
        rows=tuple(
            (label, part["n"], part["n_positive"], *(estimate(part, name) for name in OVERVIEW))
            for label, part in parts.items()
        ),
        note=interval_note(next(iter(parts.values()))) if parts else "",
    )


def _basis(metrics: Json, told: Basis) -> str:
    positive = metrics["n_positive"]
    text = f"{counted(metrics)}; {count(positive)} positive ({percent(positive, metrics['n'])})."
    if metrics["threshold"] is None:
        return f"{text} Decided for the most probable class."
    rule = f", {told.rule_words}" if told.rule_words else ""
    return f"{text} Decided positive at a score of {decimal(metrics['threshold'])} or above{rule}."


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
    flat = [NAMES[name] for name in metrics["metrics"] if no_width(estimate(metrics, name))]
    if flat:
        found.append(
            f"No width to the interval of {', '.join(flat)}: every resample gave the same value. This is not certainty."
        )
    found += dishonest(metrics)
    return (Text("", tuple(found), "caution"),) if found else ()


def _headline(metrics: Json) -> Highlights:
    cells = metrics["confusion"]
    hits, alarms = cells["true_positive"], cells["false_positive"]
    missed, cleared = cells["false_negative"], cells["true_negative"]
    return Highlights(
        "",
        (
            number(metrics, "auroc"),
            number(metrics, "sensitivity", _of(hits, hits + missed, "positives found")),
            number(metrics, "specificity", _of(cleared, cleared + alarms, "negatives cleared")),
            number(metrics, "ppv", _of(hits, hits + alarms, "positive decisions right")),
            number(metrics, "npv", _of(cleared, cleared + missed, "negative decisions right")),
            number(metrics, "ece", "mean gap between score and observed share"),
        ),
    )


def _of(part: int, whole: int, what: str) -> str:
    return f"{count(part)} of {count(whole)} {what}"


def _figures(label: str, metrics: Json, told: Basis) -> Gallery:
    ranked = (_roc(label, metrics), _precision_recall(label, metrics)) if metrics["roc"]["x"] else ()
    curve = told.curves.get(label)
    worth = (decision_figure(label, curve),) if curve and curve["n"] else ()
    calibration = calibration_figure(label, metrics)
    return Gallery("", (_scores(label, metrics), *ranked, calibration, _confusion(label, metrics), *worth))


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
