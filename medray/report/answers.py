"""The JSON of `medray.metrics` -> sections of a report, whatever kind each answer is of."""

from __future__ import annotations

from collections.abc import Mapping

from medray.report.basis import NOTHING, Basis
from medray.report.binary_answer import binary_group, overview
from medray.report.class_answers import multiclass_group, ordinal_group
from medray.report.metric_words import Json, estimate
from medray.report.number_answer import number_overview, regression_group
from medray.report.sections import Group, Highlights, Number, Section

GROUPS = {
    "binary": binary_group,
    "multiclass": multiclass_group,
    "ordinal": ordinal_group,
    "regression": regression_group,
}


def answer_sections(metrics: Mapping[str, Json], told: Basis = NOTHING) -> list[Section]:
    """An overview where there is more than one yes-or-no answer or number, then each answer.

    Args:
        metrics: JSON of a record of `medray.metrics.records` by label.
        told: how all of them were calibrated and decided.
    """
    single = single_answers(metrics)
    sections: list[Section] = [
        _macro(label, found) for label, found in metrics.items() if found["kind"] == "multilabel"
    ]
    for kind, table in (("binary", overview), ("regression", number_overview)):
        alike = {label: found for label, found in single.items() if found["kind"] == kind}
        if len(alike) > 1:
            sections.append(table("All answers", alike))
    groups: list[Group] = [GROUPS[found["kind"]](label, found, told) for label, found in single.items()]
    return [*sections, *groups]


def single_answers(metrics: Mapping[str, Json]) -> dict[str, Json]:
    """The labels of a multilabel answer stand for themselves."""
    found: dict[str, Json] = {}
    for label, answer in metrics.items():
        found |= answer["by_label"] if answer["kind"] == "multilabel" else {label: answer}
    return found


def _macro(label: str, metrics: Json) -> Highlights:
    over = ", ".join(metrics["macro_over"])
    return Highlights(label, (Number("Macro AUROC", estimate(metrics, "macro_auroc"), f"mean over {over}"),))
