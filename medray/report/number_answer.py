"""One number as an answer: sections of a report."""

from __future__ import annotations

from collections.abc import Mapping
from math import isclose

from medray.report import residuals
from medray.report.basis import NOTHING, Basis
from medray.report.digits import decimal, interval
from medray.report.metric_words import MEANINGS, NAMES, Json, counted, estimate, interval_note, no_width
from medray.report.sections import Figure, Gallery, Group, Highlights, Interval, Number, Table, Text

OVERVIEW = ("mae", "rmse", "r2", "coverage", "width")
_RARE = 0.025  # on each side


def regression_group(label: str, metrics: Json, _: Basis = NOTHING) -> Group:
    """All about one number: headline, cautions, truth and prediction, errors, coverage."""
    return Group(
        title=label,
        note=f"{counted(metrics)}. Prediction intervals are to cover {100 * metrics['nominal']:g}% of the truths. "
        "Not defined for a number: thresholds, decision curves, and calibration of probabilities; whether intervals "
        "cover what they promise stands in its place.",
        sections=(*_cautions(metrics), _headline(metrics), _figures(label, metrics)),
    )


def number_overview(title: str, parts: Mapping[str, Json]) -> Table:
    """One row for each number."""
    return Table(
        title=title,
        columns=("Answer", "Examples", *(NAMES[name] for name in OVERVIEW)),
        rows=tuple((label, part["n"], *(_shown(part, name) for name in OVERVIEW)) for label, part in parts.items()),
        note=interval_note(next(iter(parts.values()))) if parts else "",
    )


def _shown(metrics: Json, name: str) -> Interval:
    """Prediction intervals that are all equally wide have no spread to show."""
    found = estimate(metrics, name)
    if found.lower is None or found.upper is None or not isclose(found.lower, found.upper, rel_tol=1e-9):
        return found
    return Interval(found.value, None, None)


def _headline(metrics: Json) -> Highlights:
    asked = f"share of truths inside their prediction interval; asked was {decimal(metrics['nominal'])}"
    meanings = MEANINGS | {"coverage": asked}
    shown = tuple(Number(NAMES[name], _shown(metrics, name), meanings[name]) for name in OVERVIEW)
    return Highlights("", shown, interval_note(metrics))


def _cautions(metrics: Json) -> tuple[Text, ...]:
    found = []
    r2, coverage = estimate(metrics, "r2"), estimate(metrics, "coverage")
    if r2.lower is not None and r2.lower <= 0:
        found.append("The interval of R\N{SUPERSCRIPT TWO} reaches 0: answering the mean may be as good.")
    if coverage.value is None and metrics["n"]:
        found.append("There are no prediction intervals: the tuning split was too small for the share that was asked.")
    if _misses(coverage, metrics["nominal"], metrics["n_subjects"]):
        found.append(f"Prediction intervals cover {interval(coverage)}; asked was {decimal(metrics['nominal'])}.")
    if metrics["n_subjects"] == 1:
        found.append("All examples are of one subject: no interval can be given.")
    return (Text("", tuple(found), "caution"),) if found else ()


def _misses(coverage: Interval, nominal: float, subjects: int) -> bool:
    """Where all are covered, or none, the interval has no width: then by how often that happens by chance."""
    if coverage.lower is None or coverage.upper is None:
        return False
    if no_width(coverage):
        return (nominal if coverage.lower == 1.0 else 1.0 - nominal) ** subjects < _RARE
    return not coverage.lower <= nominal <= coverage.upper


def _figures(label: str, metrics: Json) -> Gallery:
    if not metrics["n"]:
        return Gallery("", ())
    plane = Figure(
        "Prediction and truth",
        residuals.truth_and_prediction(metrics["plane"]),
        f"Predictions of {label} against the truth, R squared {decimal(estimate(metrics, 'r2').value)}.",
        "A perfect model is on the diagonal. Darker cells hold more examples; the outermost 0.1% lie on the border.",
    )
    errors = Figure(
        "Errors and coverage over the prediction",
        residuals.errors_and_coverage(metrics["bins"], estimate(metrics, "width").value, metrics["nominal"]),
        f"Errors of {label}, and share of truths inside their interval, in bins of the prediction of equal size.",
        "Top: dots off zero are bias, bars hold nine errors of ten. "
        "Bottom: intervals may cover what was asked (dashed) on average and fail where it matters.",
    )
    return Gallery("", (plane, errors))
