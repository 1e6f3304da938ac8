"""A checkpoint gives back what was put, reads without pickle, and makes room for the next."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from medray.engine.checkpoint import Progress, State, load_checkpoint, newest, save_checkpoint, take
from medray.storage.store import LAKE


def _state(epoch: int) -> tuple[State, torch.nn.Module, torch.optim.Optimizer]:
    torch.manual_seed(epoch)
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
    model(torch.randn(4, 3)).sum().backward()
    optimizer.step()
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    progress = Progress(epoch=epoch, best_epoch=1, best_loss=0.25, history=[{"epoch": 1, "loss": 0.5}])
    return (
        State(weights, weights, {"0.weight": weights["0.weight"]}, optimizer.state_dict(), progress),
        model,
        optimizer,
    )


def test_nothing_is_the_beginning(tmp_path: Path) -> None:
    assert newest(LAKE, str(tmp_path / "none")) is None
    assert newest(LAKE, str(tmp_path)) is None


def test_round_trip(tmp_path: Path) -> None:
    state, model, optimizer = _state(3)
    save_checkpoint(LAKE, str(tmp_path), take(state))
    found = load_checkpoint(LAKE, str(tmp_path), (3, 0))
    assert found.progress == state.progress
    assert set(found.best) == {"0.weight"}
    for name, value in state.weights.items():
        assert torch.equal(found.weights[name], value)
    fresh = torch.optim.AdamW(model.parameters(), lr=0.5)
    fresh.load_state_dict(found.optimizer)
    before, after = optimizer.state_dict(), fresh.state_dict()
    assert json.dumps(after["param_groups"]) == json.dumps(before["param_groups"])
    for parameter, values in before["state"].items():
        for name, value in values.items():
            assert torch.equal(after["state"][parameter][name], value), (parameter, name)


def test_what_is_taken_does_not_change_any_more() -> None:
    state, model, _ = _state(3)
    before = model[0].weight.detach().clone()
    state.weights = model.state_dict()
    taken = take(state)
    with torch.no_grad():
        model[0].weight.zero_()
    assert torch.equal(taken.tensors["weights/0.weight"], before)


def test_the_newest_is_found_and_two_are_kept(tmp_path: Path) -> None:
    for epoch, step in ((1, 0), (1, 99), (1, 100), (10, 0), (9, 7)):
        state = _state(epoch)[0]
        state.progress.step = step
        save_checkpoint(LAKE, str(tmp_path), take(state))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "000009-00000007.checkpoint",
        "000010-00000000.checkpoint",
    ]
    assert newest(LAKE, str(tmp_path)) == (10, 0)
