"""Rows of the training split -> counts -> normalised inputs, by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from families.tabular_recipe import NAN, config

from medray.families.tabular.collate import collate
from medray.families.tabular.simple import simple
from medray.families.tabular.survey import merge, summarise, survey

CPU = torch.device("cpu")
CONFIG = config(columns=[{"codes": ["HR", "Temp"], "take": ["last"]}], categories={"sex": ["M", "F"]})
ROWS = np.array([[60, 36, 0], [80, NAN, 1], [100, 38, NAN], [80, 38, 1]], np.float32)


def test_counts_by_hand() -> None:
    key = {value: str(int(np.float32(value).view(np.uint32)) >> 11) for value in (36, 38, 60, 80, 100)}
    expected = [{key[60]: 1, key[80]: 2, key[100]: 1}, {key[36]: 1, key[38]: 2}]
    assert survey(ROWS, CONFIG) == {"rows": 4, "numeric": expected}


def test_mean_and_spread_by_hand() -> None:
    summary = summarise(json.loads(json.dumps(survey(ROWS, CONFIG))))
    assert summary["mean"] == pytest.approx([80, 112 / 3])
    assert summary["std"] == pytest.approx([200**0.5, (8 / 9) ** 0.5])
    assert summary["low"] == [60, 36]
    assert summary["high"] == [100, 38]
    assert summary["missing"] == [0.0, 0.25]


def test_any_grouping_of_the_rows_gives_the_same_counts() -> None:
    rows = np.random.default_rng(0).normal([120, -3e-7, 1], [30, 1e-6, 1], (500, 3)).astype(np.float32)
    rows[::7, 0] = NAN
    rows[5, 1], rows[6, 1] = 0.0, -0.0
    parts = [survey(rows[part], CONFIG) for part in (slice(0, 1), slice(1, 1), slice(1, 300), slice(300, 500))]
    merged = merge(merge(parts[3], parts[1]), merge(parts[2], parts[0]))
    assert merged == survey(rows, CONFIG)
    summary = summarise(merged)
    known = rows[:, :2].astype(np.float64)
    np.testing.assert_allclose(summary["mean"], np.nanmean(known, 0), rtol=1e-3)
    np.testing.assert_allclose(summary["std"], np.nanstd(known, 0), rtol=1e-3)


def test_gross_errors_do_not_move_the_scale() -> None:
    rows = np.random.default_rng(0).normal(80, 10, (5000, 3)).astype(np.float32)
    rows[:3, 0] = [1e9, np.finfo(np.float32).max, -1e9]
    summary = summarise(survey(rows, CONFIG))
    assert summary["mean"][0] == pytest.approx(80, abs=0.5)
    assert summary["std"][0] == pytest.approx(10, abs=0.5)
    assert 105 < summary["high"][0] < 125
    inputs = collate(np.array([[1e30, 80, 0]], np.float32), CONFIG, summary, CPU)
    assert 2.5 < float(inputs[0, 0]) < 4.5


def test_inputs_by_hand() -> None:
    inputs = collate(ROWS, CONFIG, summarise(survey(ROWS, CONFIG)), CPU)
    std = [200**0.5, (8 / 9) ** 0.5]
    expected = [
        [-20 / std[0], (36 - 112 / 3) / std[1], 0, 0, 1, 0],
        [0, 0, 0, 1, 0, 1],
        [20 / std[0], (2 / 3) / std[1], 0, 0, 0, 0],
        [0, (2 / 3) / std[1], 0, 0, 0, 1],
    ]
    assert inputs.dtype == torch.float32
    torch.testing.assert_close(inputs, torch.tensor(expected), rtol=1e-5, atol=1e-5)


def test_what_training_never_saw_missing_is_the_mean() -> None:
    summary = summarise(survey(ROWS, CONFIG))
    inputs = collate(np.array([[NAN, NAN, NAN]], np.float32), CONFIG, summary, CPU)
    assert inputs.tolist() == [[0, 0, 0, 1, 0, 0]]


def test_constant_and_empty_columns_are_zero() -> None:
    rows = np.array([[0.1, NAN, 0]] * 7, np.float32)
    summary = summarise(survey(rows, CONFIG))
    assert summary["std"] == [1.0, 1.0]
    inputs = collate(np.array([[9, 3, 0]], np.float32), CONFIG, summary, CPU)
    assert inputs.tolist() == [[0, 0, 0, 0, 1, 0]]


def test_plain_summaries() -> None:
    found = simple(ROWS, CONFIG, summarise(survey(ROWS, CONFIG)))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(
        found, np.array([[60, 36, 1, 0], [80, NAN, 0, 1], [100, 38, NAN, NAN], [80, 38, 0, 1]], np.float32)
    )
