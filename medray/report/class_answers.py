"""One answer out of several classes, with or without an order: sections of a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from medray.report import decisions
from medray.report.basis import NOTHING, Basis
from medray.report.binary_answer import overview
from medray.report.honesty import calibration_figure, calibration_overview
from medray.report.metric_words import Json, counted, number
from medray.report.net_benefit import decision_figure
from medray.report.sections import Figure, Gallery, Group, Highlights, Table

MOST_DRAWN = 12  # parts whose curves are shown; metrics.json holds those of all


def multiclass_group(label: str, metrics: Json, told: Basis = NOTHING) -> Group:
    """All about one answer out of several classes."""
    return Group(
        title=label,
        note=f"{counted(metrics)}. Decided for the most probable class.",
        sections=(
            Highlights("", tuple(number(metrics, name) for name in metrics["metrics"])),
            _matrix(label, metrics, "the diagonal of a perfect model is dark."),
            overview("Each class against the rest", metrics["by_class"]),
            *_parts(label, metrics["by_class"], told, "Calibration, each class against the rest"),
        ),
    )


def ordinal_group(label: str, metrics: Json, told: Basis = NOTHING) -> Group:
    """All about one answer out of ordered classes."""
    meanings = {"macro_auroc": "mean AUROC of being in a class or above it, over the classes but the lowest"}
    return Group(
        title=label,
        note=f"{counted(metrics)}. Decided for the median class: above and below it lies at most half the probability.",
        sections=(
            Highlights("", tuple(number(metrics, name, meanings.get(name, "")) for name in metrics["metrics"])),
            _matrix(label, metrics, "the further from the diagonal, the worse the mistake."),
            overview("At least this class, against all below", metrics["by_cut"]),
            *_parts(label, metrics["by_cut"], told, "Calibration, at least this class"),
        ),
    )


def _parts(label: str, parts: Mapping[str, Json], told: Basis, title: str) -> tuple[Table | Gallery, ...]:
    """Calibration and decision curves of the yes-or-no parts of an answer."""
    figures = tuple(
        replace(calibration_figure(name, part), title=f"Calibration: {name}") for name, part in parts.items()
    )
    worth = tuple(
        replace(decision_figure(name, curve), title=f"Decision curve: {name}")
        for name, curve in told.curves.items()
        if name.startswith(label) and curve["n"]
    )
    known = all(part["raw"] is not None for part in parts.values())
    shown = (Gallery("", (*figures, *worth)),) if known and len(parts) <= MOST_DRAWN else ()
    return (*calibration_overview(title, parts, told), *shown)


def _matrix(label: str, metrics: Json, reading: str) -> Figure:
    classes = metrics["classes"]
    return Figure(
        "Confusion matrix",
        decisions.confusion_matrix(metrics["confusion"], classes),
        f"Confusion matrix of {label} over {len(classes)} classes; rows are the truth.",
        f"Shaded by the share of the row: {reading}",
    )
