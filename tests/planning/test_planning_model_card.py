"""What a model card lacks, and what its numbers say against the model."""

from __future__ import annotations

from typing import Any

import pytest
from model_text import AUROC, CARD, complete_record, tuning_metrics

from medray.planning.model_card import empty_fields, found_limits, how_to_fill, sources, without_curves
from medray.planning.model_comparison import compared

EVALUATION = {"split": "held_out", "metrics": tuning_metrics(), "run_id": "e", "run_date": "2026-03-02"}
MANY = {"no": 70, "yes": 60}
LARGE = {
    "train": {"inputs": 130, "subjects": 130, "answers": {"opacity": MANY}},
    "tuning": {"inputs": 130, "subjects": 130, "answers": {"opacity": MANY}},
}
AGES = {"0-17": 9, "18-39": 30, "40-64": 40, "65-89": 31, "90+": 20}
GROUPS = {
    "sex": {"train": {"female": 60, "male": 70}},
    "age": {"train": AGES},
    "site": {"train": {"aa": 60}, "tuning": {"bb": 70}},
    "scanner": {"train": {"cc": 60, "dd": 70}},
}


def card(**changes: Any) -> dict[str, Any]:
    """A card with nothing empty and nothing against it."""
    record = complete_record("run")
    lineage = {name: record[name] for name in ("run_id", "code_version", "recipe_sha256", "tables_read")}
    whole = {
        **record, "name": "m", "version": 1, "lineage": {**lineage, "model_sha256": "a" * 64},
        "sources": sources(record["tables_read"]), "evaluations": [EVALUATION],
        "cross_validation": {"auroc": 0.9}, "data": {"splits": LARGE, "groups": GROUPS},
    }  # fmt: skip
    return {**whole, **changes}


def test_a_complete_card_has_nothing_empty_and_nothing_against_it() -> None:
    assert empty_fields(card()) == []
    assert found_limits(card()) == []


@pytest.mark.parametrize("field", CARD)
@pytest.mark.parametrize("text", ["", " \n", "-", "...", "0"])
def test_a_text_without_a_letter_is_empty(field: str, text: str) -> None:
    assert empty_fields(card(declared={**CARD, field: text})) == [field]


@pytest.mark.parametrize(
    ("changes", "empty"),
    [
        ({"declared": {}}, ["intended_use", "exclusions", "limits", "licence"]),
        ({"data": {}}, ["data"]),
        ({"split": {}}, ["split"]),
        ({"calibration": {}}, ["calibration"]),
        ({"tuning": {}}, []),
        ({"tuning": {}, "evaluations": []}, ["metrics"]),
        ({"tuning": {}, "evaluations": [{**EVALUATION, "metrics": {}}]}, ["metrics"]),
        ({"lineage": {"run_id": "r"}}, ["lineage"]),
        (
            {"data": {}, "split": {}, "declared": {}},
            ["intended_use", "exclusions", "data", "split", "limits", "licence"],
        ),
    ],
)
def test_every_empty_field_is_named_at_once(changes: dict[str, Any], empty: list[str]) -> None:
    assert empty_fields(card(**changes)) == empty


def test_what_to_do_fits_what_is_empty() -> None:
    assert how_to_fill(["intended_use", "metrics", "data"], "m", 3, "/lake") == (
        "write intended_use, exclusions, limits, licence in a TOML file and run "
        "`medray models describe m 3 --card FILE --lake /lake`; evaluate version 3 (job evaluate); "
        "train the model again, which records data"
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"evaluations": []}, "Not evaluated on held-out subjects"),
        ({"evaluations": [{**EVALUATION, "split": "tuning"}]}, "Not evaluated on held-out subjects"),
        ({"cross_validation": None}, "No cross-validation"),
        ({"telltales": ["rate alone tells the answer"]}, "rate alone tells the answer."),
        ({"data": {"splits": LARGE, "groups": {}}}, "Not recorded in the data: sex, age, site, scanner."),
        (
            {"data": {"splits": LARGE, "groups": {**GROUPS, "sex": {"train": {"female": 1, "not known": 2}}}}},
            "of sex male.",
        ),
        (
            {"data": {"splits": LARGE, "groups": {**GROUPS, "age": {"tuning": {"18-39": 1, "40-64": 2}}}}},
            "nobody of age 0-17, 65-89, 90+.",
        ),
        (
            {"data": {"splits": LARGE, "groups": {**GROUPS, "site": {"train": {"aa": 3}, "tuning": {"aa": 1}}}}},
            "All its data are of one site",
        ),
        (
            {"data": {"splits": {**LARGE, "tuning": {"subjects": 99}}, "groups": GROUPS}},
            "Only 99 subjects in the tuning split",
        ),
        (
            {"data": {"splits": {**LARGE, "train": {"answers": {"x": {"no": 30, "yes": 29}}}}, "groups": GROUPS}},
            "x: few examples in the train split (29 x yes).",
        ),
    ],
)
def test_what_is_weak_is_told(changes: dict[str, Any], words: str) -> None:
    (told,) = found_limits(card(**changes))
    assert words in told


def test_an_interval_that_reaches_chance_is_told() -> None:
    metrics = tuning_metrics()
    metrics["opacity"]["metrics"]["auroc"] |= {"value": 0.7, "lower": 0.5}
    (told,) = found_limits(card(tuning=metrics))
    assert told == "opacity: the interval of auroc on the tuning split reaches 0.5, which is chance."
    metrics["opacity"]["metrics"]["auroc"] |= {"lower": 0.51}
    assert found_limits(card(tuning=metrics)) == []


def test_curves_are_left_out_wherever_they_are() -> None:
    found = without_curves({"all labels": {"by_label": tuning_metrics(), "metrics": {}}})
    kept = found["all labels"]["by_label"]["opacity"]
    assert "roc" not in kept
    assert kept["metrics"]["auroc"]["value"] == AUROC


def test_two_versions_are_compared_in_what_differs_and_in_every_metric() -> None:
    recipes = (
        {"name": "a", "training": {"epochs": 3, "seed": 1}, "compute": {"cpus": 1}},
        {"name": "b", "training": {"epochs": 5, "seed": 1, "ema": 0.9}, "compute": {"cpus": 8}},
    )
    other = {**LARGE, "train": {**LARGE["train"], "subjects": 131}}
    second = card(version=2, data={"splits": other, "groups": GROUPS}, sources={"images": 4}, evaluations=[])
    found = compared(card(), second, recipes, True)
    assert found["recipe"] == [
        {"what": "training.epochs", "first": 3, "second": 5},
        {"what": "training.ema", "first": None, "second": 0.9},
    ]
    assert {row["what"]: (row["first"], row["second"]) for row in found["data"]} == {
        "splits.train.subjects": (130, 131), "tables.images": (1, 4), "tables.labels": (2, None),
    }  # fmt: skip
    auroc = [row for row in found["metrics"] if row["metric"] == "auroc"]
    assert [(row["split"], row["question"]) for row in auroc] == [("held_out", "opacity"), ("tuning", "opacity")]
    assert auroc[0]["first"]["value"] == AUROC
    assert auroc[0]["second"] is None
    assert auroc[1]["second"]["value"] == AUROC
