"""JSON of a learning curve -> how much more subjects would help."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from medray.report.canvas import NEGATIVE, QUIET, WIDE, svg
from medray.report.digits import count, percent
from medray.report.metric_words import NAMES, Json
from medray.report.sections import Figure, Group, Interval, Table

TITLE = "More data"
LOW_IS_GOOD = ("mae", "rank_mae")  # of those that decide


def growth_group(curve: Json) -> Group:
    """A plot and a row for each training."""
    points = curve["points"]
    measured = [point for point in points if "value" in point]
    labels = list(dict.fromkeys(point["label"] for point in measured))
    figures = tuple(_figure(label, [point for point in measured if point["label"] == label]) for label in labels)
    return Group(TITLE, (*figures, _table(points)), _basis(curve))


def _basis(curve: Json) -> str:
    return (
        "The same training on a part of its training subjects, each part within the next larger one, measured on the "
        f"{curve['split']} split: the held-out one is not read. Tuning chose the best epoch too, so that these values "
        "look a little too good, all alike. Intervals are by subject of the tuning split, not over trainings."
    )


def _figure(label: str, points: Sequence[Json]) -> Figure:
    name = NAMES[points[0]["metric"]]
    return Figure(
        label,
        learning_points(points, f"{name} of {label}"),
        f"{name} of {label} over the number of training subjects.",
        f"A dot for each training, a line through the means. Where it still {_better(points[0]['metric'])} at its end, "
        "more subjects would help.",
        wide=True,
    )


def _better(metric: str) -> str:
    return "falls" if metric in LOW_IS_GOOD else "rises"


def learning_points(points: Sequence[Json], axis: str) -> bytes:
    """SVG of a metric over the number of training subjects."""
    sizes = sorted({point["subjects"] for point in points})

    def draw(axes: Axes) -> None:
        known = [point for point in points if point["value"] is not None]
        for point in known:
            if point["lower"] is not None:
                axes.plot([point["subjects"]] * 2, [point["lower"], point["upper"]], color=NEGATIVE, alpha=0.4)
        axes.plot([p["subjects"] for p in known], [p["value"] for p in known], "o", color=NEGATIVE, markersize=6,
                  markeredgecolor="white")  # fmt: skip
        means = [(size, [p["value"] for p in known if p["subjects"] == size]) for size in sizes]
        axes.plot([at for at, some in means if some], [sum(some) / len(some) for _, some in means if some], color=QUIET)
        axes.set(xscale="log", xlabel="training subjects", ylabel=axis)
        axes.set_xticks(sizes, [count(size) for size in sizes])
        axes.minorticks_off()

    return svg(draw, WIDE)


def _what(point: Json) -> str:
    if "metric" in point:
        return f"{NAMES[point['metric']]} of {point['label']}"
    return f"{point.get('label', 'not trained')}: {point['reason']}"


def _table(points: Sequence[Json]) -> Table:
    rows = tuple(
        (
            percent(point["share"], 1.0),
            point["subjects"],
            point["examples"],
            point["seed"],
            _what(point),
            Interval(*(point.get(part) for part in ("value", "lower", "upper"))),
        )
        for point in points
    )
    return Table("", ("Share", "Subjects", "Examples", "Seed", "Metric", "Value"), rows)
