"""JSON of `medray.baselines.compare` -> the network beside simple models, in plain words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from medray.report.digits import count, decimal, interval
from medray.report.few_subjects import few_subjects
from medray.report.forest import Gain, forest
from medray.report.metric_words import NAMES
from medray.report.sections import Cell, Figure, Group, Interval, Quantity, Table, Text

Json = Mapping[str, Any]

TITLE = "Beside simple models"
MOST_NAMED = 6  # of the lines that a caution names
AREAS = ("auroc", "auprc", "macro_auroc")
METRICS = {**NAMES, "expected_rank_mae": "Error of the expected rank"}


def unbeaten(comparisons: Sequence[Json]) -> list[Json]:
    """Those that the network does not win in the metric that decides."""
    return [one for one in comparisons if one["primary"] and one["verdict"] in ("no better", "worse")]


def baselines_group(comparisons: Sequence[Json]) -> Group:
    """Whether the network is worth its while.

    A red notice says where it does not beat a simple model in the metric that decides; then a plot
    of the differences, and every number.

    Args:
        comparisons: one or more objects of `medray.baselines.compare`.
    """
    ordered = _ordered(comparisons)
    drawn = [one for one in ordered if one["verdict"] is not None]
    plot = (_plot(drawn),) if drawn else ()
    return Group(TITLE, (*_notices(ordered), *plot, _table(ordered)), _basis(ordered))


def _ordered(comparisons: Sequence[Json]) -> list[Json]:
    """What decides first; then by answer, as they came."""
    labels = list(dict.fromkeys(one["label"] for one in comparisons))
    return sorted(comparisons, key=lambda one: (not one["primary"], labels.index(one["label"])))


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
    several = _several(comparisons)
    lost = [_lost(one, several) for one in unbeaten(comparisons)]
    won = [
        f"The network beats {_against(one, several)}."
        for one in comparisons
        if one["primary"] and one["verdict"] == "better"
    ]
    silent = [_uncompared(one, several) for one in comparisons if one["verdict"] is None]
    cautions = [*few_subjects(comparisons), *_few(silent), *_details(comparisons)]
    told = (Text("", tuple(lost), "alarm"), Text("", tuple(won)), Text("", tuple(cautions), "caution"))
    return tuple(text for text in told if text.paragraphs)


def _lost(one: Json, several: bool) -> str:
    start = "The network is worse than" if one["verdict"] == "worse" else "The network does not beat"
    return f"\N{WARNING SIGN} {start} {_against(one, several)}."


def _uncompared(one: Json, several: bool) -> str:
    return f"No comparison with {one['baseline_name']} for {_what(one, several)}: {one['reason']}."


def _details(comparisons: Sequence[Json]) -> list[str]:
    """What a network may lose in although it wins in the metric that decides."""
    rest = [one for one in comparisons if not one["primary"] and one["verdict"] in ("no better", "worse")]
    named = _few([_name(one, _several(comparisons)) for one in rest])
    return [f"Not better in: {'; '.join(named)}."] if named else []


def _few(texts: Sequence[str]) -> list[str]:
    more = [f"and {len(texts) - MOST_NAMED} more"] if len(texts) > MOST_NAMED else []
    return [*texts[:MOST_NAMED], *more]


def _against(one: Json, several: bool) -> str:
    """ "logistic regression: AUROC 0.840 against 0.850, difference -0.010 (-0.030 to 0.010), p 0.320"."""
    return (
        f"{one['baseline_name']}: {_what(one, several)} {decimal(one['network'])} against {decimal(one['simple'])}, "
        f"difference {interval(_difference(one))}, p {_p(one)}"
    )


def _what(one: Json, several: bool) -> str:
    """The metric, with the answer where there are several, and the parts of a mean."""
    metric = METRICS[one["metric"]]
    if one["metric"] == "macro_auroc" and one["over"]:
        return f"{metric} over {', '.join(_few(one['over']))}"
    return f"{metric} of {one['label']}" if several else metric


def _name(one: Json, several: bool) -> str:
    against = f"{METRICS[one['metric']]} against {one['baseline_name']}"
    return f"{one['label']}: {against}" if several else against


def _several(comparisons: Sequence[Json]) -> bool:
    return len({one["label"] for one in comparisons}) > 1


def _plot(comparisons: Sequence[Json]) -> Figure:
    """Areas as they are; errors as shares of the simple model's, since their units may differ."""
    areas = [one for one in comparisons if one["metric"] in AREAS]
    shown = areas or [one for one in comparisons if one["primary"]]
    several = _several(comparisons)
    unit = "difference of areas" if areas else "error saved, in % of the simple model's"
    return Figure(
        title="What the network adds",
        image=forest([_gain(one, several) for one in shown], unit),
        alt="; ".join(f"{_name(one, several)}: {one['verdict']}" for one in shown) + ".",
        note="Blue and filled: the network is better. Red and hollow: it is not, or it may be chance.",
        wide=True,
    )


def _gain(one: Json, several: bool) -> Gain:
    found = one["difference"]
    scale = 1.0 if one["higher_is_better"] else -100.0 / (one["simple"] or 1.0)
    lower, upper = sorted((scale * found["lower"], scale * found["upper"]))
    return Gain(_name(one, several), scale * found["value"], lower, upper, one["verdict"] == "better")


def _table(comparisons: Sequence[Json]) -> Table:
    several, first = _several(comparisons), comparisons[0]
    answer = ("Answer",) if several else ()
    note = (
        f"Difference: network minus simple model, with its {100 * first['level']:g}% interval from "
        f"{count(first['resamples'])} bootstrap resamples of subjects (seed {first['seed']}) that both models share. "
        f"Better: in the network's favour (above 0, of errors below 0) with p at most {1 - first['level']:.3g}. "
        "p is two-sided, from the same resamples; neither is corrected for the number of rows."
    )
    columns = ("Metric", "Network", "Simple model", "Its value", "Difference", "p", "Network is")
    return Table("", (*answer, *columns), tuple(_row(one, several) for one in comparisons), note)


def _row(one: Json, several: bool) -> tuple[Cell, ...]:
    numbers = (
        METRICS[one["metric"]],
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
    text = decimal(one["p"])
    lowest = 2 / (one["resamples"] - one["difference"]["undefined"] + 1)
    return f"\N{LESS-THAN OR EQUAL TO}\N{NO-BREAK SPACE}{text}" if one["p"] <= lowest else text


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
