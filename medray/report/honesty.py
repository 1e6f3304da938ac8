"""Whether probabilities can be taken at their word, before and after calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from medray.report import curves
from medray.report.basis import Basis
from medray.report.metric_words import MEANINGS, NAMES, Json, estimate
from medray.report.sections import Cell, Figure, Table

HONESTY = ("ece", "brier", "calibration_slope", "calibration_intercept")
_HONEST: Mapping[str, float] = {"calibration_slope": 1.0, "calibration_intercept": 0.0}


def calibration_figure(label: str, metrics: Json) -> Figure:
    """The reliability curve, beside that of the raw scores where they are known."""
    before = metrics["raw"]
    note = "On the diagonal, a score of 0.8 is right eight times in ten. Bars are intervals by subject."
    return Figure(
        "Calibration",
        curves.calibration_curve(
            metrics["reliability"], metrics["histogram"], before["reliability"] if before else None
        ),
        f"Observed share of positives against the mean score of {label}, in bins of equal size.",
        f"{note} Hollow: the network's own scores, before calibration." if before else note,
    )


def calibration_table(metrics: Json, told: Basis) -> tuple[Table, ...]:
    """Every number of calibration before and after; none where the raw scores are not known."""
    if metrics["raw"] is None:
        return ()
    rows = tuple(
        (NAMES[name], estimate(metrics["raw"], name), estimate(metrics, name), MEANINGS[name]) for name in HONESTY
    )
    columns = ("Calibration", "Before", "After", "Meaning")
    return (Table("Calibration, before and after", columns, rows, _note(metrics, told)),)


def calibration_overview(title: str, parts: Mapping[str, Json], told: Basis) -> tuple[Table, ...]:
    """One row for each yes-or-no part of an answer, after calibration, with the error before."""
    if not parts or any(part["raw"] is None for part in parts.values()):
        return ()
    columns = ("Part", "ECE before", *(NAMES[name] for name in HONESTY))
    rows: Sequence[tuple[Cell, ...]] = [
        (label, estimate(part["raw"], "ece"), *(estimate(part, name) for name in HONESTY))
        for label, part in parts.items()
    ]
    return (Table(title, columns, tuple(rows), _note(next(iter(parts.values())), told)),)


def honest(metrics: Json, name: str) -> bool:
    """Whether the interval of a slope or an intercept holds its honest value; so too where there is none, or where
    it lacks resamples in which scores separate the classes: their slope has no bound."""
    found = estimate(metrics, name)
    if found.lower is None or found.upper is None or metrics["metrics"][name]["undefined"]:
        return True
    return found.lower <= _HONEST[name] <= found.upper


def dishonest(metrics: Json) -> list[str]:
    """Cautions where slope or intercept are surely off."""
    slope, shift = estimate(metrics, "calibration_slope").value, estimate(metrics, "calibration_intercept").value
    found = []
    if slope is not None and not honest(metrics, "calibration_slope"):
        found.append(f"Scores are too {'extreme' if slope < 1 else 'timid'}: the calibration slope leaves 1 out.")
    if shift is not None and not honest(metrics, "calibration_intercept"):
        found.append(f"Scores are too {'low' if shift > 0 else 'high'}: the calibration intercept leaves 0 out.")
    return found


def _note(metrics: Json, told: Basis) -> str:
    bins = len(metrics["reliability"]["count"])
    method = f"Calibration: {told.calibration_words}. " if told.calibration_words else ""
    return (
        f"{method}ECE is over {bins} bins of about as many examples each, and depends on them: compare it only with "
        "values made alike. Slope and intercept are Cox's, by logistic regression on the log-odds of the score."
    )
