"""Groups of inputs by hand."""

from __future__ import annotations

import pytest

from medray.planning.traits import age_bands, keyed, missing, named


def test_an_age_is_in_the_band_that_it_has_reached() -> None:
    found = age_bands([0.0, 17.99, 18.0, 64.5, 89.9, 90.0, None], (0, 18, 40, 65, 90), "Age")
    assert found.groups == ("0-17", "0-17", "18-39", "40-64", "65-89", "90+", None)
    assert found.order == ("0-17", "18-39", "40-64", "65-89", "90+")


def test_bands_of_children() -> None:
    found = age_bands([0.05, 0.5, 1.2, 7.0], (0, 0.08, 1, 2, 12), "Age")
    assert found.groups == ("0 to below 0.08", "0.08 to below 1", "1", "2-11")
    assert age_bands([3.0, 30.0], (18, 65), "Age").order == ("below 18", "18-64", "65+")


def test_values_have_the_names_that_the_recipe_gives() -> None:
    found = named(["0", "1", "-1", None], {"0": "female", "1": "male"}, "Sex")
    assert found.groups == ("female", "male", "other", None)
    assert found.order == ("female", "male", "other")
    assert named(["b", "a", "b"], {}, "Ward").order == ("a", "b")


def test_many_values_without_names_are_not_shown() -> None:
    found = named([f"Mrs {number}" for number in range(13)], {}, "Ward")
    assert found.order == ()
    assert set(found.groups) == {None}
    assert found.absent is not None
    assert "Mrs" not in found.absent


def test_keys_of_most_inputs_come_first() -> None:
    assert keyed(["a", "b", "b", None, "c"], "Site").order == ("b", "a", "c")


@pytest.mark.parametrize("count", [0, 3])
def test_what_is_absent_says_why(count: int) -> None:
    found = missing("Sex", count, "not retained")
    assert (found.groups, found.absent) == ((None,) * count, "not retained")
