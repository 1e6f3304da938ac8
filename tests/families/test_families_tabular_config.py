"""What a tabular recipe may say, and which window is in its range."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
from families.tabular_recipe import CONFIG, config
from pydantic import ValidationError

from medray.contracts import Refusal
from medray.families.tabular.accepts import accepts
from medray.families.tabular.config import TabularConfig
from medray.families.tabular.prepare import layout, prepare_key
from medray.schema.reasons import REASONS


@pytest.mark.parametrize("name", sorted(set(CONFIG) - {"columns", "categories"}))
def test_nothing_has_a_default(name: str) -> None:
    with pytest.raises(ValidationError, match=name):
        TabularConfig(**{key: value for key, value in CONFIG.items() if key != name})


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"columns": [], "categories": {}}, "needs 'columns' or 'categories'"),
        ({"columns": [{"codes": [], "take": ["last"]}]}, "at least 1"),
        ({"columns": [{"codes": ["HR"], "take": []}]}, "at least 1"),
        ({"columns": [{"codes": ["HR"], "take": ["median"]}]}, "'last', 'first'"),
        ({"columns": [{"codes": ["HR", "HR"], "take": ["last"]}]}, "each name may stand once"),
        ({"columns": [{"codes": ["HR"], "take": ["last", "last"]}]}, "each name may stand once"),
        ({"columns": [{"codes": ["HR"], "take": ["last"], "hours": 0}]}, "greater than 0"),
        ({"columns": [{"codes": ["HR"], "take": ["last"]}] * 2}, "columns stand twice: last of HR"),
        ({"categories": {"sex": ["M", "M"]}}, "each name may stand once"),
        ({"categories": {"sex": []}}, "at least 1"),
        ({"min_events": -1}, "greater than or equal to 0"),
        ({"architecture": "ft_transformer"}, "'heads' belongs to architecture 'ft_transformer'"),
        ({"heads": 2}, "'heads' belongs to architecture 'ft_transformer'"),
        ({"architecture": "ft_transformer", "heads": 3}, "width of 8 does not divide among 3 heads"),
        ({"dropout": 1.0}, "less than 1"),
        ({"embedding": "plain"}, "Extra inputs"),
    ],
)
def test_what_cannot_work_is_refused(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        config(**changes)


def test_the_same_code_may_look_back_differently_far() -> None:
    groups = [{"codes": ["HR"], "take": ["last"]}, {"codes": ["HR"], "take": ["last"], "hours": 4}]
    assert layout(config(columns=groups)).shape == (3,)


def test_a_recipe_in_toml() -> None:
    text = """
        name = "tabular"
        min_events = 1
        architecture = "ft_transformer"
        width = 32
        layers = 2
        heads = 4
        dropout = 0.1
        categories = { sex = ["M", "F"] }
        [[columns]]
        codes = ["HR", "MAP"]
        take = ["last", "slope"]
        hours = 12
        [[columns]]
        codes = ["Age"]
        take = ["last"]
    """
    found = TabularConfig(**tomllib.loads(text))
    assert [group.hours for group in found.columns] == [12.0, None]
    assert layout(found).shape == (2 * 2 + 1 + 1,)
    assert layout(found).dtype == "float32"


@pytest.mark.parametrize(("observed", "refused"), [(0, True), (2, True), (3, False)])
def test_windows_with_too_few_events_are_out_of_range(observed: int, refused: bool) -> None:
    found = accepts({"observed": observed}, config(min_events=3))
    assert found == (Refusal("too_few_events") if refused else None)
    assert "too_few_events" in REASONS


@pytest.mark.parametrize(
    "changes",
    [
        {"columns": [{"codes": ["Temp", "HR"], "take": ["last", "mean"]}]},
        {"columns": [{"codes": ["HR", "Temp"], "take": ["last", "mean"], "hours": 4}]},
        {"categories": {"sex": ["F", "M"]}},
    ],
)
def test_the_cache_is_another_one_when_the_numbers_would_be(changes: dict[str, Any]) -> None:
    assert prepare_key(config(**changes)) != prepare_key(config())
    assert prepare_key(config(**changes))["prepare_version"] == 1


@pytest.mark.parametrize("changes", [{"width": 16}, {"dropout": 0.5}, {"architecture": "ft_transformer", "heads": 2}])
def test_the_cache_stays_when_the_network_changes(changes: dict[str, Any]) -> None:
    assert prepare_key(config(**changes)) == prepare_key(config())
