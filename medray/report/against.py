"""JSON of two models on the same examples -> which is better, by every test that stands."""

from __future__ import annotations

from collections.abc import Sequence

from medray.report.digits import count, decimal, interval
from medray.report.few_subjects import few_subjects
from medray.report.forest import Gain, forest
from medray.report.metric_words import NAMES, Json
from medray.report.sections import Cell, Figure, Group, Interval, Quantity, Table, Text

SIDES = ("other model better", "this model better")
PRIMARY = ("auroc", "macro_auroc", "rank_mae", "mae")
AREAS = ("auroc", "auprc", "macro_auroc", "sensitivity", "specificity", "ppv", "accuracy", "balanced_accuracy")


def against_group(found: Json, bootstrap: Json, split: str) -> Group:
    """A verdict in words, a plot of the differences, every number with its tests; on which split."""
    other = f"{found['model']['name']} version {found['model']['version']}"
    lines = found["lines"]
    several = len({line["label"] for line in lines}) > 1
    parts: list[Text | Figure | Table] = [*_verdicts(lines, several, other, bootstrap)]
    drawn = [line for line in lines if line["metric"] in AREAS and line["verdict"] is not None]
    if drawn:
        parts.append(_plot(drawn, several))
    parts.append(_table(lines, several, bootstrap))
    return Group(f"Against {other}", tuple(parts), _basis(found, split))


def _basis(found: Json, split: str) -> str:
    examples = found["examples"]
    text = f"Both models on the same {count(examples['both'])} examples."
    for name, words in (("only_model", "this model"), ("only_other", "the other model")):
        if examples[name]:
            text += f" {count(examples[name])} that only {words} could answer are left out."
    if split == "held_out":
        return f"{text} Neither model was made with any of these subjects."
    return f"{text} Epoch, calibration and threshold of either model may have been chosen on these very subjects."


def _verdicts(lines: Sequence[Json], several: bool, other: str, bootstrap: Json) -> list[Text]:
    told = []
    for line in lines:
        if line["metric"] in PRIMARY and line["verdict"] is not None:
            words = {"better": "better than", "worse": "worse than", "no better": "not surely other than"}
            told.append(
                f"{_name(line, several)}: this model is {words[line['verdict']]} {other}: {decimal(line['model'])} "
                f"against {decimal(line['other'])}, difference {interval(_difference(line))}, p {_p(line, bootstrap)}."
            )
    texts = (Text("", tuple(told)), Text("", tuple(few_subjects(lines)), "caution"))
    return [text for text in texts if text.paragraphs]


def _plot(lines: Sequence[Json], several: bool) -> Figure:
    gains = [_gain(line, several) for line in lines]
    return Figure(
        "Differences",
        forest(gains, "difference", SIDES),
        "; ".join(f"{_name(line, several)}: {line['verdict']}" for line in lines) + ".",
        "Blue and filled: this model is better. Red and hollow: it is not, or it may be chance.",
        wide=True,
    )


def _gain(line: Json, several: bool) -> Gain:
    found = line["difference"]
    return Gain(_name(line, several), found["value"], found["lower"], found["upper"], line["verdict"] == "better")


def _table(lines: Sequence[Json], several: bool, bootstrap: Json) -> Table:
    answer = ("Answer",) if several else ()
    columns = (*answer, "Metric", "This model", "Other model", "Difference", "p", "Exact test", "This model is")
    note = (
        f"Difference: this model minus the other, with its {100 * bootstrap['level']:g}% interval; p two-sided, both "
        f"from {count(bootstrap['resamples'])} bootstrap resamples of subjects that both models share. Exact test: "
        "DeLong's of the areas; McNemar's of sensitivity over the positives, of specificity over the negatives, and of "
        "accuracy. "
        "Nothing is corrected for the number of rows."
    )
    return Table("", columns, tuple(_row(line, several, bootstrap) for line in lines), note)


def _row(line: Json, several: bool, bootstrap: Json) -> tuple[Cell, ...]:
    cells: tuple[Cell, ...] = (
        NAMES[line["metric"]],
        Interval(line["model"], None, None),
        Interval(line["other"], None, None),
        _difference(line),
        Quantity(_p(line, bootstrap)),
        _exact(line),
        line["verdict"] or "not comparable",
    )
    return (line["label"], *cells) if several else cells


def _exact(line: Json) -> str:
    for name, words in (("delong", "DeLong"), ("mcnemar", "McNemar")):
        found = line[name]
        if found is not None:
            return f"{words}: {found['reason']}" if "reason" in found else f"{words} p {_small(found['p'])}"
    return "none for this metric"


def _difference(line: Json) -> Interval:
    found = line["difference"]
    return Interval(found["value"], found["lower"], found["upper"])


def _p(line: Json, bootstrap: Json) -> str:
    """The lowest p that so many resamples can give is a bound, and is shown as one."""
    if line["p"] is None:
        return decimal(None)
    lowest = 2 / (bootstrap["resamples"] - line["difference"]["undefined"] + 1)
    return (
        f"\N{LESS-THAN OR EQUAL TO}\N{NO-BREAK SPACE}{decimal(line['p'])}"
        if line["p"] <= lowest
        else decimal(line["p"])
    )


def _small(p: float) -> str:
    return "below 0.001" if p < 0.001 else decimal(p)


def _name(line: Json, several: bool) -> str:
    return f"{line['label']}: {NAMES[line['metric']]}" if several else NAMES[line["metric"]]
