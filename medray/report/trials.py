"""The trials of a search: how each went, and what each setting had to do with it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from medray.report.canvas import ALARM, INK, NEGATIVE, POSITIVE, QUIET, WIDE, svg

Trials = Sequence[Mapping[str, Any]]  # `trial`, `values`, `state`, `loss`, `tuning_losses` of each
_FADED = "#b6bec8"
_ROOM = 0.06
_DECADES = 30.0
_CURVES, _POINTS = 2.5, 8.0  # of the distance between best and middle: what is worse leaves the picture


def trial_curves(trials: Trials, best: int, rungs: Sequence[int]) -> bytes:
    """SVG of the tuning loss over the epochs: the best trial, the recipe's own (trial 0), those that
    finished, those that were stopped (grey) and failed (red, with a cross), and where trials are judged."""

    def draw(axes: Axes) -> None:
        for rung in rungs:
            axes.axvline(rung, color=QUIET, linewidth=0.9, linestyle=(0, (1, 3)))
        named: set[str] = set()
        for trial in sorted(trials, key=lambda one: _layer(one, best)):
            name, look = _look(trial, best)
            _curve(axes, trial, look | ({} if name in named else {"label": name}))
            named.add(name)
        axes.set(xlabel="epoch", ylabel="tuning loss")
        axes.set_ylim(*_between(trials, _CURVES))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        handles, labels = axes.get_legend_handles_labels()
        axes.legend(handles[::-1], labels[::-1], loc="upper left", bbox_to_anchor=(1.0, 1.0))

    return svg(draw, (WIDE[0], WIDE[1] + 0.5))


def setting_against_loss(trials: Trials, name: str, best: int, log: bool) -> bytes:
    """SVG of what is minimised against one setting, a point for each trial that has both.

    Args:
        log: the setting was drawn by factors, and is shown so.
    """
    shown = [one for one in trials if one["loss"] is not None and name in one["values"]]

    def draw(axes: Axes) -> None:
        places = _axis(axes, [one["values"][name] for one in shown], log)
        for place, trial in sorted(zip(places, shown, strict=True), key=lambda pair: _layer(pair[1], best)):
            _, look = _look(trial, best)
            axes.plot(
                [place], [trial["loss"]], "o", color=look["color"], zorder=look["zorder"],
                markersize=9 if trial["trial"] == best else 6.5, markeredgewidth=1.5,
                markerfacecolor=look["color"] if trial["state"] == "finished" else "white",
            )  # fmt: skip
        axes.set(xlabel=name, ylabel="tuning loss")
        axes.set_ylim(*_between(shown, _POINTS))

    return svg(draw, (4.6, 3.4))


def _look(trial: Mapping[str, Any], best: int) -> tuple[str, dict[str, Any]]:
    if trial["trial"] == best:
        return f"best: trial {best}", {"color": POSITIVE, "linewidth": 2.6, "zorder": 6}
    if trial["trial"] == 0 and trial["state"] != "failed":
        return "the recipe as it was", {"color": INK, "linewidth": 1.8, "linestyle": (0, (5, 2)), "zorder": 5}
    if trial["state"] == "failed":
        return "failed", {"color": ALARM, "linewidth": 1.2, "zorder": 3}
    if trial["state"] == "stopped":
        return "stopped early", {"color": _FADED, "linewidth": 1.0, "zorder": 1}
    return "finished", {"color": NEGATIVE, "linewidth": 1.1, "alpha": 0.75, "zorder": 2}


def _layer(trial: Mapping[str, Any], best: int) -> int:
    order: int = _look(trial, best)[1]["zorder"]
    return order


def _curve(axes: Axes, trial: Mapping[str, Any], look: dict[str, Any]) -> None:
    losses = [math.nan if loss is None else loss for loss in trial["tuning_losses"]]
    axes.plot(range(1, len(losses) + 1), losses, **look)
    finite = [place for place, loss in enumerate(losses) if not math.isnan(loss)]
    if trial["state"] != "finished" and finite:
        end = "x" if trial["state"] == "failed" else "o"
        axes.plot([finite[-1] + 1], [losses[finite[-1]]], end, color=look["color"], markersize=4, zorder=look["zorder"])


def _between(trials: Trials, most: float) -> tuple[float, float]:
    """The limits of the loss axis: up to `most` times as far from the best as the middle trial."""
    lowest = sorted(one["loss"] for one in trials if one["loss"] is not None)
    if not lowest:
        return 0.0, 1.0
    low, middle = lowest[0], lowest[len(lowest) // 2]
    high = min(lowest[-1], low + most * (middle - low)) if middle > low else lowest[-1]
    room = _ROOM * max(high - low, 1e-3 * abs(low), 1e-9)
    return low - room, high + 2 * room


def _log_scale(axes: Axes, ratio: float) -> None:
    """Powers of ten are named, and where there are few of them, twice and five times these."""
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0,) if ratio > _DECADES else (1.0, 2.0, 5.0), numticks=12))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _axis(axes: Axes, values: Sequence[Any], log: bool) -> list[float]:
    """Places of the values on the x axis: numbers at themselves, words side by side."""
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        if log:
            _log_scale(axes, max(values) / min(values))
        return list(values)
    words = sorted({str(value) for value in values})
    axes.set_xticks(range(len(words)), words)
    axes.set_xlim(-0.5, len(words) - 0.5)
    return [float(words.index(str(value))) for value in values]
