"""Windows of events become blocks, blocks become tokens: by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from medray.contracts import Array, Refusal, Window
from medray.families.ehr.accepts import accepts
from medray.families.ehr.augment import augment
from medray.families.ehr.collate import collate, known_codes
from medray.families.ehr.config import EhrConfig
from medray.families.ehr.prepare import layout, prepare, prepare_key
from medray.nn.draws import Draws

SIX = {
    "name": "ehr", "max_events": 6, "min_events": 3, "vocabulary": 3, "min_count": 1, "hours": 48.0, "width": 8,
    "architecture": "gru_d", "step_hours": 4.0, "summary_codes": 4, "members": 1, "dropout": 0.0,
    "event_dropout": 0.5, "code_dropout": 0.0,
}  # fmt: skip
SUMMARY = {
    "codes": [70, 20, 90, 30], "examples": [9, 5, 5, 1],
    "values": [[10.0, 12.0, 20.0], [3.0], [], [0.0]], "scores": [[-1.0, 0.0, 1.0], [0.5], [], [0.0]],
}  # fmt: skip
CPU = torch.device("cpu")


def six(**changes: Any) -> EhrConfig:
    return EhrConfig(**(SIX | changes))


def window(*events: tuple[int, float, float]) -> Window:
    code, hours, value = zip(*events, strict=True) if events else ((), (), ())
    return Window(np.array(code, np.int64), np.array(hours, np.float32), np.array(value, np.float32))


def block(*events: tuple[int, float, float], **changes: Any) -> Array:
    return prepare(window(*events), six(**changes))[0].values


def timed(count: int) -> list[tuple[int, float, float]]:
    return [(code, float(count - code), 0.5) for code in range(1, count + 1)]


def test_a_block_has_the_declared_form_and_ends_in_zeros() -> None:
    (example,) = prepare(window((5, np.nan, 1.5), (7, 3.0, np.nan)), six())
    assert example.frame_index == 0
    assert example.values.dtype == layout(six()).dtype
    assert example.values.shape == layout(six()).shape
    assert example.values["f0"].tolist() == [5, 7, 0, 0, 0, 0]
    assert example.values[2:].tobytes() == bytes(4 * 16)
    assert np.isnan(example.values["f1"][0])
    assert example.values["f1"][1] == 3.0
    assert example.values["f2"][0] == 1.5
    assert np.isnan(example.values["f2"][1])


def test_static_facts_and_the_newest_events_are_kept() -> None:
    kept = block((100, np.nan, 1.0), (101, np.nan, 2.0), *timed(8))
    assert kept["f0"].tolist() == [100, 101, 5, 6, 7, 8]


def test_a_window_that_just_fits_is_whole() -> None:
    assert block(*timed(6))["f0"].tolist() == [1, 2, 3, 4, 5, 6]
    assert block(*timed(7))["f0"].tolist() == [2, 3, 4, 5, 6, 7]


def test_more_static_facts_than_room_are_cut() -> None:
    assert block(*[(code, np.nan, 0.0) for code in range(1, 9)])["f0"].tolist() == [1, 2, 3, 4, 5, 6]


def test_an_empty_window_is_padding_alone() -> None:
    assert block().tobytes() == bytes(6 * 16)


def test_an_event_after_the_prediction_stops_the_job() -> None:
    assert block((5, 0.0, 1.0))["f0"][0] == 5
    with pytest.raises(ValueError, match="would leak"):
        prepare(window((5, 1.0, 1.0), (5, -0.001, 1.0)), six())


def test_windows_with_few_events_are_out_of_range() -> None:
    assert accepts({"observed": 2}, six()) == Refusal("too_few_events")
    assert accepts({"observed": 3}, six()) is None


def test_prepared_events_depend_on_their_number_alone() -> None:
    assert prepare_key(six()) == prepare_key(six(vocabulary=9, min_events=0, hours=24.0, step_hours=1.0, width=64))
    assert prepare_key(six()) != prepare_key(six(max_events=7))


def test_tokens_hold_place_hours_value_and_what_is_known() -> None:
    examples = np.stack([block((20, np.nan, 3.0), (70, 60.0, 14.0), (20, 5.0, np.nan), (70, 0.0, 1e6))])
    tokens = collate(examples, six(), SUMMARY, CPU)
    assert tokens.dtype == torch.float32
    assert tokens[0].tolist() == [
        [2, 48, 0.5, 1, 1],  # one value is known
        [1, 48, 0.25, 1, 0],  # older than the window; a quarter of the way from 12 to 20
        [2, 5, 0, 0, 0],
        [1, 0, 1, 1, 0],  # level beyond the last knot
        [0, 0, 0, 0, 0],
        [0, 0, 0, 0, 0],
    ]


def test_unknown_and_rare_codes_become_padding() -> None:
    examples = np.stack([block((30, 5.0, 1.0), (31, 4.0, 1.0), (99, 3.0, 1.0), (90, 1.0, np.nan))])
    assert collate(examples, six(), SUMMARY, CPU)[0, :4, 0].tolist() == [0, 0, 0, 3]
    assert not collate(examples, six(), SUMMARY, CPU)[0, :3].any()
    assert known_codes(six(), SUMMARY) == 3
    assert known_codes(six(vocabulary=64), SUMMARY) == 4
    assert known_codes(six(min_count=2), SUMMARY) == 3
    assert known_codes(six(min_count=6), SUMMARY) == 1


def test_a_row_does_not_depend_on_its_neighbours() -> None:
    rows = [block(*timed(n)) for n in (1, 6, 3)]
    together = collate(np.stack(rows), six(), SUMMARY | {"codes": [1, 2, 3, 4]}, CPU)
    for at, row in enumerate(rows):
        assert torch.equal(together[at : at + 1], collate(row[None], six(), SUMMARY | {"codes": [1, 2, 3, 4]}, CPU))


def test_dropped_events_become_padding_and_others_stay() -> None:
    tokens = torch.rand(400, 6, 5) + 1.0
    dropped = augment(tokens.clone(), six(), Draws(0, 0, torch.arange(400)))
    gone = (dropped == 0).all(-1)
    assert torch.equal(dropped[~gone], tokens[~gone])
    assert gone.float().mean().item() == pytest.approx(0.25, abs=0.04)  # uniform from 0 to a half
    assert torch.equal(augment(tokens, six(event_dropout=0.0), Draws(0, 0, torch.arange(400))), tokens)


def test_all_events_of_a_dropped_code_become_padding() -> None:
    tokens = torch.rand(400, 6, 5) + 1.0
    tokens[..., 0] = torch.tensor([1, 2, 1, 3, 2, 1])
    seeded = Draws(0, 0, torch.arange(400))
    gone = (augment(tokens, six(event_dropout=0.0, code_dropout=0.3), seeded) == 0).all(-1)
    assert torch.equal(gone[:, 0] & gone[:, 1], gone[:, 2] & gone[:, 4])
    assert torch.equal(gone[:, 0], gone[:, 5])
    assert gone[:, [0, 1, 3]].float().mean().item() == pytest.approx(0.3, abs=0.04)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"step_hours": None}, "'step_hours' belongs to architecture 'gru_d'"),
        ({"layers": 2}, "'layers' belongs to architecture 'transformer'"),
        ({"architecture": "transformer", "step_hours": None, "layers": 1}, "'heads' belongs"),
        ({"architecture": "transformer", "step_hours": None, "layers": 1, "heads": 3}, "width 8 does not divide"),
        ({"vocabulary": 65_536}, "vocabulary x steps is 786432"),
        ({"colour": 1}, "Extra inputs"),
    ],
)
def test_a_recipe_that_cannot_work_is_refused(changes: dict[str, Any], found: str) -> None:
    with pytest.raises(ValidationError, match=found):
        six(**changes)


def test_the_last_step_of_the_grid_may_be_short() -> None:
    assert six(hours=10.0, step_hours=4.0).steps == 3
