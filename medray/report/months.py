"""Published predictions against outcomes that have arrived since, month by month."""

from __future__ import annotations

from collections.abc import Mapping

from matplotlib.axes import Axes

from medray.report.canvas import NEGATIVE, WIDE, svg
from medray.report.metric_words import NAMES, Json, estimate
from medray.report.sections import Cell, Figure, Group, Table

# What stands for an answer of each kind; the first is drawn.
_SHOWN = {
    "binary": ("auroc", "auprc", "brier"),
    "multiclass": ("macro_auroc", "accuracy"),
    "ordinal": ("quadratic_kappa", "rank_mae"),
    "regression": ("mae", "coverage"),
    "multilabel": ("macro_auroc",),
}


def months(found: Mapping[str, Mapping[str, Json]]) -> Group:
    """A table and a line with intervals for each answer.

    Args:
        found: by month ("2026-01"), JSON of a record of `medray.metrics.records` by label.
    """
    labels = sorted({label for metrics in found.values() for label in metrics})
    sections: list[Table | Figure] = []
    for label in labels:
        by_month = {month: metrics[label] for month, metrics in sorted(found.items()) if label in metrics}
        names = _SHOWN[next(iter(by_month.values()))["kind"]]
        rows = tuple(_row(month, one, names) for month, one in by_month.items())
        sections.append(Table(label, ("Month", "Answers", *(NAMES[name] for name in names)), rows))
        if len(by_month) > 1:
            sections.append(_line(label, by_month, names[0]))
    note = "Of published answers whose outcome is known by now, without subjects that the model was made with."
    return Group("Outcomes", tuple(sections), note)


def _row(month: str, metrics: Json, names: tuple[str, ...]) -> tuple[Cell, ...]:
    n = metrics.get("n", 0)
    return (month, int(n), *(estimate(metrics, name) for name in names))


def _line(label: str, by_month: Mapping[str, Json], name: str) -> Figure:
    def draw(axes: Axes) -> None:
        for place, metrics in enumerate(by_month.values()):
            one = estimate(metrics, name)
            if one.value is not None:
                axes.plot([place], [one.value], "o", color=NEGATIVE)
                if one.lower is not None and one.upper is not None:
                    axes.plot([place, place], [one.lower, one.upper], color=NEGATIVE, linewidth=1.6)
        axes.set_xticks(range(len(by_month)), list(by_month))
        axes.set(ylabel=NAMES[name])

    return Figure(f"{label}: {NAMES[name]} by month", svg(draw, WIDE), f"{NAMES[name]} of {label} by month.", wide=True)
