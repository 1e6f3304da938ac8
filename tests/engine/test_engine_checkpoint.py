"""A checkpoint gives back what was put, reads without pickle, and makes room for the next."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from medray.engine.checkpoint import Progress, State, load_checkpoint, save_checkpoint
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
    assert load_checkpoint(LAKE, str(tmp_path / "none")) is None


def test_round_trip(tmp_path: Path) -> None:
    state, model, optimizer = _state(3)
    save_checkpoint(LAKE, str(tmp_path), state)
    found = load_checkpoint(LAKE, str(tmp_path))
    assert found is not None
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


def test_the_newest_is_read_and_two_are_kept(tmp_path: Path) -> None:
    for epoch in range(1, 6):
        save_checkpoint(LAKE, str(tmp_path), _state(epoch)[0])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["000004.checkpoint", "000005.checkpoint"]
    found = load_checkpoint(LAKE, str(tmp_path))
    assert found is not None
    assert found.progress.epoch == 5
