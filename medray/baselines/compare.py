"""The network beside the simple models, for the report of an evaluation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from medray.baselines.answers import BASELINES, Answers, Training, baseline_answers, drawn
from medray.baselines.question import Question, Stored, network_answers, question, truth
from medray.baselines.sample import varying
from medray.metrics.bootstrap import Resampling
from medray.metrics.checks import check_lengths
from medray.metrics.macro import with_intervals
from medray.metrics.paired import Paired, areas, errors, mean_of, paired
from medray.metrics.records import Estimate, plain

Array = npt.NDArray[Any]
Json = dict[str, Any]

LEVEL = 0.95
ALL_LABELS = "all labels"


@dataclass(frozen=True)
class _Line:
    """One line of a comparison.

    Attributes:
        place: where the metric stands in the statistic.
        columns: the columns of the answer that it is of.
        primary: it decides whether the network is worth its while.
    """

    label: str
    metric: str
    place: int
    columns: tuple[int, ...]
    higher_is_better: bool
    primary: bool


def compare(
    kind: str,
    task_config: Any,
    stored: Stored,
    targets: Array,
    subjects: Array,
    train_features: Array,
    train_targets: Array,
    train_subjects: Array,
    features: Array,
    resamples: int,
    seed: int,
) -> list[Json]:
    """Network and simple models on the same M rows; the simple models learn from the training split.

    Args:
        kind: "binary", "multilabel", "multiclass", "ordinal" or "regression".
        task_config: the task's config: `labels`, and where it has them `classes` and `loss`.
        stored: the network's answers, {label: {column of `predictions`: (M,)}}.
        targets, subjects, features: (M, T) with NaN where missing, (M,), (M, F): the rows evaluated.
        train_features, train_targets, train_subjects: (n, F), (n, T), (n,): what to learn from.
        resamples, seed: of the bootstrap; the seed also draws rows, folds and trees.

    Returns:
        One object for each simple model, label and metric: `label`, `metric` (auroc, auprc,
        macro_auroc, expected_rank_mae, mae, r2), `primary` (it decides whether the network is worth its
        while), `baseline` ("linear", "trees", "carried"), `baseline_name`, the fields of
        `medray.metrics.paired.Paired`, `reason` (why there is no verdict, else null),
        `simple_interval` (of the simple model's metric) and `beside` (the network's value is "above",
        "within" or "below" it, above being better), `n` and `n_subjects` that are answered, `over`
        (the columns of a mean), `learnt` {rows, subjects, summaries}, `resamples`, `seed`, `level`.
        What is not defined is null.

    Raises:
        AccountingError: arrays of the same rows differ in length.
    """
    check_lengths("compare, rows evaluated", targets, subjects, features)
    check_lengths("compare, rows to learn from", train_targets, train_subjects, train_features)
    asked = question(kind, task_config)
    training = drawn(train_features, train_targets, train_subjects, seed)
    network, known = network_answers(asked, stored), truth(asked, targets)
    shared = {"learnt": rows_learnt(training), "resamples": resamples, "seed": seed, "level": LEVEL}
    found: list[Json] = []
    for name, baseline in BASELINES.items():
        if kind not in baseline.kinds:
            continue
        simple = baseline_answers(baseline, asked, training, features, seed)
        told = baseline.chances_name if asked.by_chance else baseline.number_name
        lines = compared(asked, [network], simple, known, subjects, Resampling(resamples, seed, LEVEL))
        found += [{**line, "baseline": name, "baseline_name": told, **shared} for line in lines]
    return found


def rows_learnt(training: Training) -> Json:
    """How much a simple model learnt from."""
    return {
        "rows": len(training.subjects),
        "subjects": len(np.unique(training.subjects)),
        "summaries": len(varying(training.features)),
    }


def compared(
    asked: Question, networks: Sequence[Array], simple: Answers, known: Array, subjects: Array, resampling: Resampling
) -> Iterator[Json]:
    """Each line, over the columns that the simple model could learn.

    Args:
        networks: (M, K) of each network; the mean of their metrics is compared. Of the simple model's
            metric the interval is told too (`simple_interval`), and which side of it they lie (`beside`).
    """
    known = np.where(simple.learnt, known, np.nan)
    rows = ~np.isnan(known).all(axis=1)
    statistic = areas if asked.by_chance else errors
    lines = _lines(asked, known)
    simples = statistic(simple.values[rows], known[rows])
    results = paired(
        mean_of([statistic(network[rows], known[rows]) for network in networks]),
        simples,
        subjects[rows],
        resampling,
        {line.place: line.higher_is_better for line in lines},
    )
    own = with_intervals(simples, subjects[rows], resampling)
    for line, result in zip(lines, results, strict=True):
        answered = ~np.isnan(known[:, line.columns]).all(axis=1)
        yield {
            "label": line.label,
            "metric": line.metric,
            "primary": line.primary,
            **result.to_json(),
            "simple_interval": plain(asdict(own[line.place])),
            "beside": _beside(result, own[line.place]),
            "reason": None if result.verdict else _reason(simple, line, subjects[answered]),
            "n": int(answered.sum()),
            "n_subjects": len(np.unique(subjects[answered])),
            "over": [asked.columns[column] for column in line.columns],
        }


def _beside(result: Paired, simple: Estimate) -> str | None:
    """Where the network's metric lies by the simple model's interval; above is better."""
    if not result.verdict or not np.isfinite(simple.lower):
        return None
    over, under = result.network > simple.upper, result.network < simple.lower
    if not (over or under):
        return "within"
    return "above" if over == result.higher_is_better else "below"


def _lines(asked: Question, known: Array) -> list[_Line]:
    """The lines of a question, where `areas` or `errors` puts their metrics."""
    count = known.shape[1]
    every = tuple(column for column in range(count) if len(np.unique(known[~np.isnan(known[:, column]), column])) == 2)
    if asked.kind == "binary":
        one = asked.labels[0]
        return [_Line(one, "auroc", 0, (0,), True, True), _Line(one, "auprc", 1, (0,), True, False)]
    if asked.kind == "multiclass":
        return [_Line(asked.labels[0], "macro_auroc", 2 * count, every, True, True)]
    if asked.kind == "ordinal":
        return [_Line(asked.labels[0], "expected_rank_mae", 0, (0,), False, True)]
    if asked.kind == "multilabel":
        mean = _Line(ALL_LABELS, "macro_auroc", 2 * count, every, True, True)
        return [mean, *(_Line(label, "auroc", at, (at,), True, False) for at, label in enumerate(asked.labels))]
    return [
        line
        for at, label in enumerate(asked.labels)
        for line in (_Line(label, "mae", at, (at,), False, True), _Line(label, "r2", count + at, (at,), True, False))
    ]


def _reason(simple: Answers, line: _Line, subjects: Array) -> str:
    unlearnt = [simple.reasons[column] for column in line.columns or range(len(simple.reasons))]
    if all(unlearnt):
        return unlearnt[0]
    if not len(subjects):
        return "no row evaluated has an answer that could also be learnt"
    if len(np.unique(subjects)) == 1:
        return "all rows evaluated are of one subject"
    return "the rows evaluated hold one answer only"
