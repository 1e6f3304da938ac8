"""The report of a cross-validation: how good such a training is on subjects it has not seen, and how much that
depends on who is in which fold and on chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from medray.report import fold_figures
from medray.report.baselines import METRICS, baselines_group
from medray.report.digits import count, decimal
from medray.report.lineage import lineage_table
from medray.report.metric_words import MEANINGS, NAMES
from medray.report.sections import (
    Cell,
    Figure,
    Gallery,
    Group,
    Highlights,
    Interval,
    Number,
    Quantity,
    Report,
    Section,
    Table,
    Text,
    Tone,
)

Json = Mapping[str, Any]

# What decides, by kind of answer; what an answer has of them is shown in this order.
DECIDING = ("auroc", "auprc", "macro_auroc", "quadratic_kappa", "rank_mae", "r2", "mae", "balanced_accuracy")
MOST_SHOWN = 2  # metrics of one answer by fold and seed
MOST_ANSWERS = 4
MOST_CURVES = 6


def cross_validation_report(title: str, found: Json, lineage: Mapping[str, str]) -> Report:
    """The page.

    Args:
        found: JSON of the cross_validate job: folds, seeds, metrics, roc, curves, comparisons, verdicts,
            telltales, resamples.
    """
    folds, seeds = found["folds"], found["seeds"]
    examples, subjects = (sum(one[name] for one in folds) for name in ("examples", "subjects"))
    shown = _shown(found["metrics"])
    sections: list[Section] = [
        *_cautions(found),
        _headline(shown, found),
        *([baselines_group(found["comparisons"])] if found["comparisons"] else []),
        Group("By fold and seed", tuple(part for one in shown for part in _spread(one, seeds)), _SPREAD),
        *_curves(found),
        _losses(found),
        _every_metric(found),
        _folds(folds),
        lineage_table(lineage),
    ]
    head = f"{len(folds)} folds by subject, {len(seeds)} seed{'s' * (len(seeds) > 1)}"
    facts = [
        ("Run", lineage["Run"][:12]),
        ("Run date", lineage["Run date"]),
        ("Trainings", str(len(folds) * len(seeds))),
    ]
    return Report(title, f"{head}; {count(examples)} examples of {count(subjects)} subjects", facts, tuple(sections))


def verdicts(comparisons: Sequence[Json], seeds: int) -> list[str]:
    """A plain sentence for each comparison that decides: do the networks lie above the baseline's interval?"""
    return [_verdict(one, seeds) for one in comparisons if one["primary"]]


def _verdict(one: Json, seeds: int) -> str:
    where = f"{METRICS[one['metric']]} of {one['label']}"
    if one["beside"] is None:
        return f"No comparison with {one['baseline_name']} in {where}: {one['reason'] or 'no interval'}."
    side = {"above": "lies above", "within": "does not lie above", "below": "lies below"}[one["beside"]]
    mean = "the network's value" if seeds == 1 else f"the networks' mean over {seeds} seeds"
    own, better = one["simple_interval"], "" if one["higher_is_better"] else " (above: with a smaller error)"
    return (
        f"In {where} {mean}, {one['network']:.4f}, {side} the {100 * one['level']:g}% interval of "
        f"{one['baseline_name']}, {own['lower']:.4f} to {own['upper']:.4f}{better}."
    )


_SAME_FOLDS = (
    "The baselines learnt on the very same folds, from each fold's training split; the network's metrics are means "
    "over its seeds. The paired test is below."
)
_SPREAD = (
    "Rows are seeds, columns folds. A seed changes weights, order and augmentation only; the folds are the same for "
    "all of them, so that chance of training and choice of subjects can be told apart."
)


def _shown(metrics: Sequence[Json]) -> list[Json]:
    """The deciding metrics of the first answers, those of all together before those of the labels."""
    found = []
    for answer in list(dict.fromkeys(one["answer"] for one in metrics))[:MOST_ANSWERS]:
        here = {one["metric"]: one for one in metrics if one["answer"] == answer}
        found += [here[name] for name in DECIDING if name in here][:MOST_SHOWN]
    return found


def _cautions(found: Json) -> list[Text]:
    beside = {one["beside"] for one in found["comparisons"] if one["primary"]}
    tone: Tone = "plain" if beside <= {"above"} else "caution" if "below" not in beside else "alarm"
    joined = sum(one["joined"] for one in found["folds"])
    leaks = [_capital(told) + "." for told in found["telltales"]]
    if joined:
        leaks.append(
            f"{count(joined)} subjects have images of others, the same to the last pixel: they stay in one fold."
        )
    sentences = (*found["verdicts"], _SAME_FOLDS) if found["verdicts"] else ()
    texts = [Text("Beside the baselines", sentences, tone), Text("", tuple(leaks), "caution")]
    return [text for text in texts if text.paragraphs]


def _headline(shown: Sequence[Json], found: Json) -> Highlights:
    numbers = tuple(
        Number(
            _name(one, found),
            _interval(one),
            f"deviation over folds {_deviation(one['over_folds'])}, over seeds {_deviation(one['over_seeds'])}",
        )
        for one in shown
    )
    note = (
        f"Out-of-fold answers of all folds together; mean over {len(found['seeds'])} seeds. In brackets: the mean 95% "
        f"interval of the seeds, from {count(found['resamples'])} bootstrap resamples of subjects."
    )
    return Highlights("", numbers, note)


def _spread(one: Json, seeds: Sequence[int]) -> tuple[Figure, Table]:
    name = f"{_metric(one)} of {one['answer']}"
    values = [value for row in one["by_fold"] for value in row if value is not None]
    told = f"from {decimal(min(values))} to {decimal(max(values))}" if values else "not defined"
    figure = Figure(
        name,
        fold_figures.by_fold(one, _metric(one), seeds),
        f"{name} by fold and seed, {told}.",
        "Line and band: all folds together, mean over seeds, with its interval.",
        wide=True,
    )
    columns = ("Seed", *(f"Fold {number}" for number in range(1, len(one["by_fold"][0]) + 1)), "All folds together")
    rows: list[tuple[Cell, ...]] = [
        (str(seed), *(_number(value) for value in row), _number(whole))
        for seed, row, whole in zip(seeds, one["by_fold"], one["by_seed"], strict=True)
    ]
    means = [_mean([row[place] for row in one["by_fold"]]) for place in range(len(one["by_fold"][0]))]
    rows.append(("mean", *(_number(value) for value in means), _number(one["value"])))
    note = (
        f"Standard deviation over folds (of the means of their seeds): {_deviation(one['over_folds'])}; "
        f"over seeds (of all folds together): {_deviation(one['over_seeds'])}."
    )
    return figure, Table("", columns, tuple(rows), note)


def _curves(found: Json) -> list[Section]:
    answers = list(found["roc"].items())[:MOST_CURVES]
    figures = tuple(
        Figure(
            f"ROC curves of {answer}", fold_figures.roc_by_fold(curves), f"ROC curve of each of {len(curves)} folds."
        )
        for answer, curves in answers
    )
    return [Gallery("ROC curves by fold", figures, f"Seed {found['seeds'][0]}.")] if figures else []


def _losses(found: Json) -> Figure:
    return Figure(
        "Training by fold",
        fold_figures.losses_by_fold(found["curves"]),
        f"Losses of {len(found['folds'])} folds by epoch.",
        "Dashed: training loss. Whole line: tuning loss.",
        wide=True,
    )


def _every_metric(found: Json) -> Table:
    rows = tuple(
        (
            one["answer"],
            _metric(one),
            _interval(one),
            Quantity(_deviation(one["over_folds"])),
            Quantity(_deviation(one["over_seeds"])),
            MEANINGS.get(one["metric"], ""),
        )
        for one in found["metrics"]
    )
    note = "Out-of-fold answers of all folds together, mean over seeds; deviations as above."
    columns = ("Answer", "Metric", "Value", "Deviation over folds", "Over seeds", "Meaning")
    return Table("All metrics", columns, rows, note)


def _folds(folds: Sequence[Json]) -> Table:
    labels = list(folds[0]["means"])[:MOST_ANSWERS]
    columns = ("Fold", "Examples", "Subjects", "Learnt from", "Tuned with", *(f"Mean of {label}" for label in labels))
    rows = tuple(
        (
            str(one["fold"]),
            one["examples"],
            one["subjects"],
            one["train"],
            one["tuning"],
            *(_number(one["means"][label]) for label in labels),
        )
        for one in folds
    )
    return Table("Folds", columns, rows, "Subjects of train and tuning only; the held-out split was not read.")


def _name(one: Json, found: Json) -> str:
    metric = _metric(one)
    several = len({other["answer"] for other in found["metrics"]}) > 1
    return f"{metric} of {one['answer']}" if several else metric


def _metric(one: Json) -> str:
    return NAMES.get(str(one["metric"]), str(one["metric"]))


def _interval(one: Json) -> Interval:
    return Interval(one["value"], one["lower"], one["upper"])


def _number(value: float | None) -> Quantity:
    return Quantity(decimal(value))


def _deviation(value: float | None) -> str:
    """Two digits, as those of seeds may be small."""
    return decimal(None) if value is None else f"{value:.2g}"


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
