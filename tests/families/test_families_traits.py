"""Traits by which a night is compared with its reference."""

from __future__ import annotations

import numpy as np
import pytest
from families import tabular_recipe

from medray.families.ehr.prepare import CODE, HOURS, VALUE
from medray.families.ehr.traits import traits as ehr_traits
from medray.families.image.traits import traits as image_traits
from medray.families.tabular.traits import traits as tabular_traits


def test_traits_of_an_image_by_hand() -> None:
    images = np.array([[[[0, 10], [0, 30]]], [[[7, 7], [7, 7]]]], np.uint8)
    found = image_traits(images, None, {})  # type: ignore[arg-type]
    assert found["mean"].tolist() == [10.0, 7.0]
    assert found["spread"].tolist() == [pytest.approx(np.std([0, 10, 0, 30])), 0.0]
    assert found["detail"].tolist() == [20.0, 0.0]  # 10 - 0 and 30 - 0: unsigned bytes would wrap


def test_traits_of_a_row_stand_under_their_columns_names() -> None:
    config = tabular_recipe.config()
    rows = np.array([[1, 2, 3, 4, 0], [5, 6, 7, 8, np.nan]], np.float32)
    found = tabular_traits(rows, config, {})
    assert list(found) == ["last of HR", "last of Temp", "mean of HR", "mean of Temp", "sex"]
    assert found["mean of HR"].tolist() == [3.0, 7.0]
    np.testing.assert_array_equal(found["sex"], [0.0, np.nan])


def test_traits_of_events_are_the_last_values_and_counts() -> None:
    block = np.zeros((2, 4), "i8,f4,f4")
    block[CODE] = [[5, 7, 5, 0], [7, 7, 0, 0]]
    block[HOURS] = 1.0
    block[VALUE] = [[1.0, np.nan, 2.0, 0.0], [np.nan, np.nan, 0.0, 0.0]]
    summary = {"codes": [5, 7, 9], "values": [[1.0, 2.0], [], [3.0]]}
    found = ehr_traits(block, None, summary)  # type: ignore[arg-type]
    assert found["events"].tolist() == [3.0, 2.0]
    np.testing.assert_array_equal(found["code 5"], [2.0, np.nan])
    np.testing.assert_array_equal(found["code 7"], [1.0, 2.0])  # of a code without values: how many
    assert np.isnan(found["code 9"]).all()
