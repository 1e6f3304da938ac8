"""Searches: settings drawn up front, every mistake before a machine is touched, and a recipe as TOML."""

from __future__ import annotations

import math
import tomllib
from pathlib import Path
from typing import Any

import pytest
import story
from record_scene import EHR, PROBLEM, TABULAR

from medray.config import load, parse
from medray.errors import RecipeError
from medray.recipes.draws import Between, OneOf, draw
from medray.recipes.toml_text import toml_text
from medray.recipes.train import TrainRecipe
from medray.recipes.tune import TuneRecipe

RECIPES = Path(__file__).resolve().parents[2] / "jobs" / "recipes"
RATES = {"low": 1e-4, "high": 1e-2, "log": True}


def recipe(ranges: dict[str, Any], family: dict[str, Any] = TABULAR, **search: Any) -> dict[str, Any]:
    training = {"epochs": 9, "batch_size": 8, "learning_rate": 0.02, "weight_decay": 0.01, "seed": 1, "workers": 2}
    return {
        "job": "tune", "name": "tiny", "lake": "/lake", "family": family, "problem": PROBLEM,
        "task": {"kind": "binary", "label": "death", "class_weights": True, "threshold": "youden"},
        "split": {"salt": "s", "tuning": 0.25, "held_out": 0.25}, "training": training, "model": {"name": "tiny"},
        "search": {"trials": 9, "seed": 3, "grace_epochs": 1, "reduction": 3, "ranges": ranges, **search},
    }  # fmt: skip


def checked(ranges: dict[str, Any], **changes: Any) -> TuneRecipe:
    found = parse(recipe(ranges, **changes), "test")
    assert isinstance(found, TuneRecipe)
    return found


def mistakes(ranges: dict[str, Any], **changes: Any) -> list[str]:
    with pytest.raises(RecipeError) as raised:
        parse(recipe(ranges, **changes), "test")
    return [line.strip() for line in raised.value.found.splitlines()[1:] if line.strip()]


def test_the_first_trial_is_the_recipe_and_the_others_miss_no_part_of_a_range() -> None:
    found = checked({
        "training.learning_rate": RATES, "family.layers": {"low": 1, "high": 4},
        "family.dropout": {"low": 0, "high": 0.8}, "training.batch_size": {"of": [8, 16]},
    }).trials()  # fmt: skip
    assert found[0] == {
        "training.learning_rate": 0.02, "family.layers": 1, "family.dropout": 0.0, "training.batch_size": 8
    }  # fmt: skip
    drawn = found[1:]
    # one of eight in each eighth of the range: by factors, by differences, of whole numbers, of choices
    rates = sorted(math.log10(one["training.learning_rate"]) for one in drawn)
    assert [math.floor((rate + 4) * 4 + 1e-3) for rate in rates] == list(range(8))
    assert sorted(int(one["family.dropout"] * 10 + 1e-3) for one in drawn) == list(range(8))
    assert sorted(one["family.layers"] for one in drawn) == [1, 1, 2, 2, 3, 3, 4, 4]
    assert sorted(one["training.batch_size"] for one in drawn) == [8] * 4 + [16] * 4


def test_trials_follow_from_the_seed_alone() -> None:
    ranges = {"training.learning_rate": RATES, "family.width": {"low": 8, "high": 64, "log": True}}
    assert checked(ranges).trials() == checked(dict(reversed(ranges.items()))).trials()
    assert checked(ranges).trials()[1:] != checked(ranges, seed=4).trials()[1:]


def test_numbers_stay_within_their_ends() -> None:
    low, high = 0.123456, 0.123457  # rounded to four digits both would be left
    found = draw({"x": Between(low=low, high=high), "n": Between(low=3, high=4)}, {"x": 0.5, "n": 3}, 50, 1)
    assert all(low <= one["x"] <= high and one["n"] in (3, 4) for one in found[1:])


def test_a_choice_that_is_a_table_sets_its_keys_and_takes_away_what_others_name() -> None:
    tables = [{"architecture": "mlp", "width": 16}, {"architecture": "ft_transformer", "width": 8, "heads": 2}]
    own = TABULAR | tables[1]
    found = checked({"family": {"of": tables}}, family=own)
    trials = [found.with_values(values).family.model_dump() for values in found.trials()]
    assert {(one["architecture"], one["width"], one["heads"]) for one in trials} == {
        ("mlp", 16, None), ("ft_transformer", 8, 2),
    }  # fmt: skip
    assert all(one["columns"] == trials[0]["columns"] and one["min_events"] == 1 for one in trials)


def test_a_trial_is_a_train_recipe_with_the_rest_as_it_was_written() -> None:
    found = checked({"training.learning_rate": RATES})
    trial = found.with_values({"training.learning_rate": 0.001})
    assert type(trial) is TrainRecipe
    document = {**recipe({}), "job": "train"}
    del document["search"]
    document["training"]["learning_rate"] = 0.001
    assert trial == parse(document, "test")


def test_what_changes_the_question_or_the_comparison_is_not_searched() -> None:
    for name in (
        "task.label_smoothing", "split.tuning", "problem.observe_hours", "training.seed", "training.epochs",
        "training.keep", "training.workers", "family.min_events", "family.columns", "family.name", "lake",
    ):  # fmt: skip
        told = mistakes({name: {"low": 0, "high": 1}})
        assert len(told) == 1, name
        assert name in told[0]
        assert "searched" in told[0]


def test_a_name_that_is_not_there_is_told_beside_those_that_are() -> None:
    (told,) = mistakes({"training.learning_rat": RATES})
    assert "training.learning_rat " in told
    assert "learning_rate" in told
    (told,) = mistakes({"family.members": {"of": [1, 2]}})  # of another family
    assert "architecture" in told


def test_every_mistake_is_told_at_once() -> None:
    told = mistakes(
        {
            "training.batch_size": {"of": [8, 9]},
            "training.learning_rate": {"low": -1.0, "high": 0.1},
            "family.dropout": {"low": 0.0, "high": 1.5},
            "family.architecture": {"low": 1, "high": 2},
        },
        grace_epochs=10,
    )
    assert len(told) == 5
    for words in ("grace_epochs", "batch_size", "9 ", "learning_rate", "-1.0", "dropout", "1.5", "architecture"):
        assert any(words in line for line in told), words


@pytest.mark.parametrize(
    "wrong", [{"low": 2, "high": 1}, {"low": 0, "high": 1, "log": True}, {"of": [1]}, {"of": [1, 1]}, {"low": 1}, {}]
)
def test_a_range_that_is_none(wrong: dict[str, Any]) -> None:
    assert len(mistakes({"training.weight_decay": wrong})) >= 1


def test_settings_that_are_right_alone_and_wrong_together_are_told_by_trial() -> None:
    ranges = {"family.width": {"of": [8, 12]}, "family.heads": {"of": [2, 8]}}  # 12 features, 8 heads
    told = mistakes(ranges, family=TABULAR | {"architecture": "ft_transformer", "heads": 2})
    pairs = [one for one in told if "family.width = 12, family.heads = 8" in one]
    assert pairs == told
    assert all("trial" in one and "does not divide" in one for one in told)


def test_a_setting_has_one_range() -> None:
    told = mistakes({"family": {"of": [{"width": 8}, {"width": 16}]}, "family.width": {"of": [8, 16]}})
    assert any("already" in one for one in told)


def test_a_missing_base_is_told_as_in_any_recipe() -> None:
    document = recipe({"training.weight_decay": {"low": 0.0, "high": 0.1}})
    del document["training"]["weight_decay"]
    with pytest.raises(RecipeError, match=r"training.weight_decay: Field required"):
        parse(document, "test")


@pytest.mark.parametrize("path", sorted(RECIPES.rglob("*.toml")), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_a_recipe_as_text_is_the_same_recipe(path: Path) -> None:
    known = load(str(path))
    document = known.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    if "search" in document:  # its ranges are read by the name of what they hold
        pytest.skip("a search is never written")
    assert parse(tomllib.loads(toml_text(document, ["Where it comes from."])), "text") == known


def test_text_numbers_and_names_of_all_kinds_come_back() -> None:
    document = {
        "plain": 'a "word" \\ back\nand\ttab \x7f \x01 ü 𝄞', "yes": True, "small": 1e-7, "large": 10**18, "none": [],
        "two words": {"a.b": [1.5, 2.0], "empty": {}}, "tables": [{"x": 1}, {"y": {"z": [{"deep": "v"}, {}]}}],
        "long": [f"a name of some length {number}" for number in range(12)], "mixed": [1, {"a": 1}],
    }  # fmt: skip
    assert tomllib.loads(toml_text(document)) == document
    with pytest.raises(TypeError):
        toml_text({"nothing": None})


@pytest.mark.parametrize("family", [EHR, TABULAR, story.train_recipe("/lake")["family"]], ids=lambda one: one["name"])
def test_what_may_be_searched_changes_neither_what_is_prepared_nor_what_is_accepted(family: dict[str, Any]) -> None:
    from medray import rooms

    room = rooms.family(family["name"])
    config = room.Config.model_validate(family)
    fixed = {"min_events", "min_side", "modalities", "channels", "frames"} & set(room.Config.model_fields)
    assert not fixed & set(room.Config.searchable)
    assert not set(room.prepare_key(config)) & set(room.Config.searchable)
    assert set(room.Config.searchable) <= set(room.Config.model_fields)


def test_choices_are_taken_evenly() -> None:
    assert [OneOf(of=("a", "b", "c")).at(share, whole=False) for share in (0.0, 0.34, 0.99)] == ["a", "b", "c"]
