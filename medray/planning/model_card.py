"""Is a model card complete, and what are the model's limits by its own numbers?

The fields are those of Mitchell et al. 2019 ("Model Cards for Model Reporting") as far as they are about one
model: intended use, exclusions, data, splits, metrics, calibration, limits, licence, lineage. A card is JSON:
what a training recorded, with what people have said since and the evaluations that the lake knows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from medray.planning.splits import TRAIN, TUNING
from medray.recipes.card import CardText

Card = Mapping[str, Any]

FEW = 30  # of a class: below, a rate moves by more than 3 points with one example
FEW_SUBJECTS = 100  # of the tuning split: below, an interval of a share of one half is wider than 0.2
_LINEAGE = ("run_id", "code_version", "recipe_sha256", "model_sha256")
_TRAITS = {"sex": "sex", "age": "age", "site": "site", "scanner": "scanner"}
_BANDS = ("0-17", "18-39", "40-64", "65-89", "90+")
_CURVES = ("roc", "precision_recall", "plane")
_SOURCES = ("images", "volumes", "events", "labels")
_NOT_KNOWN = "not known"
_CHANCE = {"auroc": 0.5, "macro_auroc": 0.5, "quadratic_kappa": 0.0, "r2": 0.0}
NAMES = tuple(CardText.model_fields)


def empty_fields(card: Card) -> list[str]:
    """The fields that say nothing, in the order of the card."""
    known = {name: card["declared"].get(name, "") for name in NAMES}
    empty = set(CardText(**known).empty())
    found = {
        "data": card["data"].get("splits"),
        "split": card["split"],
        "metrics": card["tuning"] or any(one["metrics"] for one in card["evaluations"]),
        "calibration": card["calibration"],
        "lineage": all(card["lineage"].get(name) for name in _LINEAGE) and card["lineage"].get("tables_read"),
    }
    order = ("intended_use", "exclusions", "data", "split", "metrics", "calibration", "limits", "licence", "lineage")
    return [name for name in order if name in empty or (name in found and not found[name])]


def how_to_fill(empty: Sequence[str], name: str, version: int, lake: str) -> str:
    """What a person does about empty fields."""
    words = [field for field in empty if field in NAMES]
    steps = []
    if words:
        steps.append(
            f"write {', '.join(NAMES)} in a TOML file and run "
            f"`medray models describe {name} {version} --card FILE --lake {lake}`"
        )
    if "metrics" in empty:
        steps.append(f"evaluate version {version} (job evaluate)")
    if rest := [field for field in empty if field not in NAMES and field != "metrics"]:
        steps.append(f"train the model again, which records {', '.join(rest)}")
    return "; ".join(steps)


def found_limits(card: Card) -> list[str]:
    """What the numbers of a card say against the model, in words; most weighty first."""
    return [
        *_unproven(card),
        *(text for question, metrics in answers_of(card["tuning"]).items() for text in _near_chance(question, metrics)),
        *_few(card["data"].get("splits", {})),
        *_groups(card["data"].get("groups", {})),
    ]


def without_curves(metrics: Any) -> Any:
    """The metrics of an evaluation without the curves of its figures, which are most of its bytes."""
    if isinstance(metrics, Mapping):
        return {name: without_curves(item) for name, item in metrics.items() if name not in _CURVES}
    return metrics


def sources(tables_read: Mapping[str, int]) -> dict[str, int]:
    """The tables that inputs and answers are read from, with their versions."""
    return {name: tables_read[name] for name in _SOURCES if tables_read.get(name, -1) >= 0}


def answers_of(metrics: Card) -> dict[str, Any]:
    """Metrics by question; the questions of a multilabel answer stand for themselves."""
    found: dict[str, Any] = {}
    for label, answer in metrics.items():
        found |= answer["by_label"] if answer["kind"] == "multilabel" else {label: answer}
    return found


def _unproven(card: Card) -> Iterator[str]:
    held_out = [one for one in card["evaluations"] if one["split"] == "held_out"]
    if not held_out:
        yield (
            "Not evaluated on held-out subjects: what is known of its quality comes from the tuning split, on which "
            "the best epoch, calibration and thresholds were chosen. It is optimistic."
        )
    if not card.get("cross_validation"):
        yield "No cross-validation: how much the result depends on who was in the training split is not known."
    yield from (f"{told}." for told in card.get("telltales", ()))


def _near_chance(question: str, metrics: Card) -> Iterator[str]:
    for name, chance in _CHANCE.items():
        found = metrics["metrics"].get(name)
        if found and found["lower"] is not None and found["lower"] <= chance:
            yield f"{question}: the interval of {name} on the tuning split reaches {chance:g}, which is chance."


def _few(splits: Card) -> Iterator[str]:
    subjects = splits.get(TUNING, {}).get("subjects", FEW_SUBJECTS)
    if subjects < FEW_SUBJECTS:
        yield f"Only {subjects} subjects in the tuning split: intervals, calibration and thresholds are rough."
    for split in (TRAIN, TUNING):
        for question, counts in splits.get(split, {}).get("answers", {}).items():
            if "mean" in counts:
                continue
            few = [f"{count} x {name}" for name, count in counts.items() if count < FEW]
            if few:
                yield f"{question}: few examples in the {split} split ({', '.join(few)})."


def _groups(groups: Card) -> Iterator[str]:
    """Traits that nobody recorded, values that nobody has."""
    learnt = {trait: _union(groups.get(trait, {})) for trait in _TRAITS}
    if missing := [_TRAITS[trait] for trait, names in learnt.items() if not names]:
        yield f"Not recorded in the data: {', '.join(missing)}. Whether it is as good for every group cannot be told."
    if learnt["age"]:
        absent = [band for band in _BANDS if band not in learnt["age"]]
        if absent:
            yield f"It has seen nobody of age {', '.join(absent)}."
    if learnt["sex"] and (absent := [name for name in ("female", "male") if name not in learnt["sex"]]):
        yield f"It has seen nobody of sex {', '.join(absent)}."
    for trait in ("site", "scanner"):
        if len(learnt[trait]) == 1:
            yield f"All its data are of one {trait}: how it does elsewhere is not known."


def _union(splits: Card) -> set[str]:
    return {name for counts in splits.values() for name in counts} - {_NOT_KNOWN}
