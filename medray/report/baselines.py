"""JSON of `medray.baselines.compare` -> the network beside simple models, in plain words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from medray.report.digits import count, decimal, interval
from medray.report.forest import Gain, forest
from medray.report.sections import Cell, Figure, Group, Interval, Quantity, Table, Text

Json = Mapping[str, Any]

TITLE = "Beside simple models"
MOST_NAMED = 6  # of the lines that a caution names
AREAS = ("auroc", "auprc", "macro_auroc")
METRICS = {
    "auroc": "AUROC",
    "auprc": "AUPRC",
    "macro_auroc": "macro AUROC",
    "expected_rank_mae": "error of the expected rank",
    "mae": "MAE",
    "r2": "R\N{SUPERSCRIPT TWO}",
}


def baselines_group(comparisons: Sequence[Json]) -> Group:
    """Whether the network is worth its while.

    A red notice says where it does not beat a simple model in the metric that decides; then a plot
    of the differences, and every number.

    Args:
        comparisons: one or more objects of `medray.baselines.compare`.
    """
    drawn = [one for one in comparisons if one["verdict"] is not None]
    plot = (_plot(drawn),) if drawn else ()
    return Group(TITLE, (*_notices(comparisons), *plot, _table(comparisons)), _basis(comparisons))


def _basis(comparisons: Sequence[Json]) -> str:
    first = comparisons[0]
    names = " and ".join(dict.fromkeys(one["baseline_name"] for one in comparisons))
    learnt, shown = first["learnt"], max(comparisons, key=lambda one: int(one["n"]))
    return (
        f"{_capital(names)} read {count(learnt['summaries'])} plain summaries of each input and learnt from "
        f"{count(learnt['rows'])} examples of {count(learnt['subjects'])} subjects of the network's training split. "
        f"All are measured on the same {count(shown['n'])} examples of {count(shown['n_subjects'])} subjects."
    )


def _notices(comparisons: Sequence[Json]) -> tuple[Text, ...]:
    deciding = [one for one in comparisons if one["primary"]]
    beaten = [one for one in deciding if one["verdict"] == "better"]
    unbeaten = [one for one in deciding if one["verdict"] in ("no better", "worse")]
    silent = [one for one in deciding if one["verdict"] is None]
    found = []
    if unbeaten:
        found.append(Text("", tuple(_unbeaten(one, comparisons) for one in unbeaten), "alarm"))
    if beaten:
        found.append(Text("", tuple(f"The network beats {_against(one, comparisons)}." for one in beaten)))
    cautions = [*(_uncompared(one, comparisons) for one in silent), *_details(comparisons)]
    if cautions:
        found.append(Text("", tuple(cautions), "caution"))
    return tuple(found)


def _uncompared(one: Json, comparisons: Sequence[Json]) -> str:
    return f"{_capital(one['baseline_name'])}: no comparison{_of(one, comparisons)}, since {one['reason']}."


def _unbeaten(one: Json, comparisons: Sequence[Json]) -> str:
    start = "The network is worse than" if one["verdict"] == "worse" else "The network does not beat"
    return f"\N{WARNING SIGN} {start} {_against(one, comparisons)}."


def _against(one: Json, comparisons: Sequence[Json]) -> str:
    """ "logistic regression: AUROC 0.840 against 0.850, difference -0.010 (-0.030 to 0.010), p 0.320"."""
    return (
        f"{one['baseline_name']}{_of(one, comparisons)}: {METRICS[one['metric']]} {decimal(one['network'])} against "
        f"{decimal(one['simple'])}, difference {interval(_difference(one))}, p {_p(one)}"
    )


def _of(one: Json, comparisons: Sequence[Json]) -> str:
    """Which answer, where there are several."""
    return f" in {one['label']}" if _several(comparisons) else ""


def _details(comparisons: Sequence[Json]) -> list[str]:
    """What a network that wins in the metric that decides does not win in."""
    rest = [one for one in comparisons if not one["primary"] and one["verdict"] in ("no better", "worse")]
    if not rest:
        return []
    named = "; ".join(_name(one, comparisons) for one in rest[:MOST_NAMED])
    more = f"; and {len(rest) - MOST_NAMED} more" if len(rest) > MOST_NAMED else ""
    return [f"Not better in {named}{more}."]


def _name(one: Json, comparisons: Sequence[Json]) -> str:
    of = f"{one['label']}, " if _several(comparisons) else ""
    return f"{of}{METRICS[one['metric']]} against {one['baseline_name']}"


def _several(comparisons: Sequence[Json]) -> bool:
    return len({one["label"] for one in comparisons}) > 1


def _plot(comparisons: Sequence[Json]) -> Figure:
    """Areas as they are; errors as shares of the simple model's, since their units may differ."""
    areas = [one for one in comparisons if one["metric"] in AREAS]
    shown = sorted(areas or (one for one in comparisons if one["primary"]), key=lambda one: not one["primary"])
    unit = "difference of areas" if areas else "error saved, in % of the simple model's"
    return Figure(
        title="What the network adds",
        image=forest([_gain(one, comparisons) for one in shown], unit),
        alt="; ".join(f"{_name(one, comparisons)}: {one['verdict']}" for one in shown) + ".",
        note="Blue and filled: the interval is all in the network's favour. Red and hollow: it is not.",
        wide=True,
    )


def _gain(one: Json, comparisons: Sequence[Json]) -> Gain:
    found = one["difference"]
    scale = 1.0 if one["higher_is_better"] else -100.0 / (one["simple"] or 1.0)
    lower, upper = sorted((scale * found["lower"], scale * found["upper"]))
    return Gain(_name(one, comparisons), scale * found["value"], lower, upper, one["verdict"] == "better")


def _table(comparisons: Sequence[Json]) -> Table:
    several, first = _several(comparisons), comparisons[0]
    answer = ("Answer",) if several else ()
    rows = sorted(comparisons, key=lambda one: not one["primary"])
    note = (
        f"Difference: network minus simple model, with its {100 * first['level']:g}% interval from "
        f"{count(first['resamples'])} bootstrap resamples of subjects (seed {first['seed']}) that both models share. "
        "Better: all of the interval is in the network's favour. p is two-sided, from the same resamples; neither is "
        "corrected for the number of rows."
    )
    columns = ("Metric", "Network", "Simple model", "Its value", "Difference", "p", "Network is")
    return Table("", (*answer, *columns), tuple(_row(one, several) for one in rows), note)


def _row(one: Json, several: bool) -> tuple[Cell, ...]:
    metric = METRICS[one["metric"]] + ("" if one["higher_is_better"] else " (lower is better)")
    numbers = (
        metric,
        Interval(one["network"], None, None),
        one["baseline_name"],
        Interval(one["simple"], None, None),
        _difference(one),
        Quantity(_p(one)),
        one["verdict"] or "not comparable",
    )
    return (one["label"], *numbers) if several else numbers


def _difference(one: Json) -> Interval:
    found = one["difference"]
    return Interval(found["value"], found["lower"], found["upper"])


def _p(one: Json) -> str:
    """The lowest p that so many resamples can give is a bound, and is shown as one."""
    if one["p"] is None:
        return decimal(None)
    lowest = 2 / (one["resamples"] - one["difference"]["undefined"] + 1)
    return f"\N{LESS-THAN OR EQUAL TO} {decimal(one['p'])}" if one["p"] <= lowest else decimal(one["p"])


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
