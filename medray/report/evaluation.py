"""The report of an evaluation: how good the model is, on what, and how it came about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from medray.report.against import against_group
from medray.report.answers import answer_sections
from medray.report.baselines import baselines_group, unbeaten
from medray.report.basis import basis
from medray.report.contact_sheet import PER_ROW, contact_sheet
from medray.report.digits import count
from medray.report.growth import growth_group
from medray.report.lineage import lineage_table, used_inputs
from medray.report.metric_words import NAMES, Json
from medray.report.sections import Figure, Group, Interval, Link, Report, Section, Sum, Table, Text
from medray.report.subgroups import subgroups_group
from medray.report.training import training_curves

EXAMPLE_NOTES = {
    "best": "Right, and by the widest margin.",
    "worst": "Wrong, and by the widest margin: look here first.",
    "least certain": "Scores nearest to the threshold.",
}


ON_TUNING = (
    "These are the subjects on which the best epoch, the calibration and the threshold were chosen: every value looks "
    "better than it would for new ones."
)
UNASKED = {
    "against": "A comparison with another model: the recipe has no [against].",
    "learning_curve": "A learning curve: the recipe has no [learning_curve].",
}
WORDS = {
    "gap": "Gap to the rest",
    "net_benefit": "Net benefit",
    "p": "p",
    "delong": "DeLong's test",
    "mcnemar": "McNemar's test",
    "intervals": "Intervals",
}


@dataclass(frozen=True)
class ShownExample:
    """One example to look at.

    Attributes:
        image: (H, W) or (H, W, 3) uint8, as the model's preparation left it.
        score: calibrated probability.
        target: 1.0, 0.0, or None when not known.
        key: pseudonymous key by which an auditor finds the input.
    """

    image: npt.NDArray[np.uint8]
    score: float
    target: float | None
    key: str


def evaluation_report(
    *,
    title: str,
    subtitle: str,
    facts: Sequence[tuple[str, str]],
    evaluation: Json,
    training: Mapping[str, Any] | None,
    ingest: Sum | None,
    reasons: Mapping[str, int],
    lineage: Mapping[str, str | Link],
    examples: Mapping[str, Sequence[ShownExample]],
) -> Report:
    """The report of one model on one evaluated set.

    Args:
        title, subtitle, facts: the head of the page.
        evaluation: the document of metrics.json: `answers` (JSON of a record of `medray.metrics.records` by
            label), `baselines` (JSON of `medray.baselines.compare`), `decision_curves`, `subgroups`, `against`,
            `definitions`, and by which rules.
        training: {"epochs": [{"epoch": 1, "train_loss": ..., ...}, ...]}, None when not known.
        ingest: where the inputs ended, None when not known.
        reasons: inputs that were not used, by reason of `medray.schema.reasons`.
        lineage: what a prediction is explained by: model, code, recipe, table versions.
        examples: by kind ("best", "worst", "least certain").
    """
    sections: list[Section] = [
        *_learnt(evaluation["learnt_images"]),
        *answer_sections(evaluation["answers"], basis(evaluation)),
    ]
    if evaluation["split"] == "tuning":
        sections.insert(0, Text("Read with care", (ON_TUNING,), "caution"))
    sections += _more(evaluation)
    comparisons = evaluation["baselines"]
    if comparisons:
        # bad news first
        place = 0 if unbeaten(comparisons) else _after_overview(sections)
        sections.insert(place, baselines_group(comparisons))
    if any(examples.values()):
        sections.append(_examples(examples))
    if training is not None and training["epochs"]:
        sections.append(_training(training["epochs"]))
    if ingest is not None:
        sections.append(used_inputs(ingest, reasons))
    sections += _unasked(evaluation)
    sections.append(lineage_table(lineage))
    sections += _definitions(evaluation["definitions"])
    return Report(title, subtitle, facts, tuple(sections))


def _learnt(seen: int) -> list[Section]:
    """That the model was made with some of the images, where it was."""
    told = (
        f"{count(seen)} of the images are, to the last pixel, images that the model was made with, of other subjects: "
        "what is measured is better than what is true."
    )
    return [Text("", (told,), "caution")] if seen else []


def _more(evaluation: Json) -> list[Section]:
    """For whom the model is good, against which other one, and with how much data."""
    found: list[Section] = []
    if evaluation["subgroups"] is not None:
        found.append(subgroups_group(evaluation["subgroups"], evaluation["bootstrap"]))
    if evaluation["against"] is not None:
        found.append(against_group(evaluation["against"], evaluation["bootstrap"], evaluation["split"]))
    if evaluation["learning_curve"] is not None:
        found.append(growth_group(evaluation["learning_curve"]))
    return found


def _unasked(evaluation: Json) -> list[Section]:
    words = tuple(words for name, words in UNASKED.items() if evaluation[name] is None)
    return [Text("Not asked for", words)] if words else []


def _definitions(definitions: Mapping[str, Mapping[str, str]]) -> list[Section]:
    rows = tuple((NAMES.get(name, WORDS.get(name, name)), *one.values()) for name, one in definitions.items())
    return [Table("Definitions", ("Number", "Definition", "Source"), rows)] if rows else []


def _after_overview(sections: Sequence[Section]) -> int:
    """Before the details of several answers, after those of the only one."""
    details = [place for place, section in enumerate(sections) if isinstance(section, Group)]
    return max(details[0], 1) if details else len(sections)


def _examples(examples: Mapping[str, Sequence[ShownExample]]) -> Group:
    sheets = tuple(_sheet(kind, shown) for kind, shown in examples.items() if shown)
    note = "As the model sees them, after preparation."
    return Group("Examples", (*sheets, _keys(examples)), note)


def _sheet(kind: str, shown: Sequence[ShownExample]) -> Figure:
    captions = [
        f"{place} \N{MIDDLE DOT} score {example.score:.3f}\n{_truth(example.target)}"
        for place, example in enumerate(shown, start=1)
    ]
    return Figure(
        title=kind.capitalize(),
        image=contact_sheet([example.image for example in shown], captions),
        alt=f"{len(shown)} images: {kind}.",
        note=EXAMPLE_NOTES.get(kind, ""),
        wide=len(shown) >= PER_ROW,
    )


def _keys(examples: Mapping[str, Sequence[ShownExample]]) -> Table:
    rows = tuple(
        (f"{kind} {place}", Interval(example.score, None, None), _truth(example.target), example.key)
        for kind, shown in examples.items()
        for place, example in enumerate(shown, start=1)
    )
    return Table("Keys of these images", ("Image", "Score", "Truth", "Key"), rows)


def _truth(target: float | None) -> str:
    if target is None or np.isnan(target):
        return "not known"
    return "positive" if target == 1 else "negative" if target == 0 else f"class {target:g}"


def _training(epochs: Sequence[Mapping[str, Any]]) -> Figure:
    return Figure(
        title="Training",
        image=training_curves(epochs),
        alt=f"Losses and metrics over {len(epochs)} epochs.",
        note="A tuning loss that rises while the training loss falls is overfitting.",
        wide=True,
    )
