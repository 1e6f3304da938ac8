"""One answer out of several classes, with or without an order: sections of a report."""

from __future__ import annotations

from medray.report import decisions
from medray.report.binary_answer import overview
from medray.report.metric_words import Json, counted, number
from medray.report.sections import Figure, Group, Highlights


def multiclass_group(label: str, metrics: Json) -> Group:
    """All about one answer out of several classes."""
    return Group(
        title=label,
        note=f"{counted(metrics)}. Decided for the most probable class.",
        sections=(
            Highlights("", tuple(number(metrics, name) for name in metrics["metrics"])),
            _matrix(label, metrics, "the diagonal of a perfect model is dark."),
            overview("Each class against the rest", metrics["by_class"]),
        ),
    )


def ordinal_group(label: str, metrics: Json) -> Group:
    """All about one answer out of ordered classes."""
    meanings = {"macro_auroc": "mean AUROC of being in a class or above it, over the classes but the lowest"}
    return Group(
        title=label,
        note=f"{counted(metrics)}. Decided for the median class: above and below it lies at most half the probability.",
        sections=(
            Highlights("", tuple(number(metrics, name, meanings.get(name, "")) for name in metrics["metrics"])),
            _matrix(label, metrics, "the further from the diagonal, the worse the mistake."),
            overview("At least this class, against all below", metrics["by_cut"]),
        ),
    )


def _matrix(label: str, metrics: Json, reading: str) -> Figure:
    classes = metrics["classes"]
    return Figure(
        "Confusion matrix",
        decisions.confusion_matrix(metrics["confusion"], classes),
        f"Confusion matrix of {label} over {len(classes)} classes; rows are the truth.",
        f"Shaded by the share of the row: {reading}",
    )
