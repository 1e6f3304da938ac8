"""A training that is cut off goes on as if nothing had been; and each setting of [training] does what it says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from engine.small_fit import curve, spec_in, trained
from safetensors.torch import load_file, save_file

from medray.engine import feed as feed_module
from medray.engine.checkpoint import Uploads
from medray.engine.loop import Fit
from medray.errors import ModelError
from medray.storage.store import LAKE

pytestmark = pytest.mark.usefixtures("one_thread")

CPU = torch.device("cpu")


class _CutOff(Exception):
    pass


def _cut_off(fit: Fit, step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Train until so many steps are done; then the process is as good as dead."""
    plain = fit._step

    def stepping(number: int) -> None:
        fit.uploads.wait()  # each step's checkpoint stands: what is lost does not depend on how fast it was written
        if number == step:
            raise _CutOff
        plain(number)

    monkeypatch.setattr(fit, "_step", stepping)
    with pytest.raises(_CutOff):
        _to_the_end(fit)
    fit.uploads.wait()


def _to_the_end(fit: Fit) -> None:
    while not fit.done():
        fit.epoch()


@pytest.mark.parametrize("step", [1, 5, 6, 8, 17, 23])  # 6 steps an epoch
@pytest.mark.parametrize("training", [{}, {"optimizer": "sgd", "accumulate": 2, "sampling": "balanced", "ema": 0.0}])
def test_a_cut_off_training_gives_the_same_curve_and_weights(
    step: int, training: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = trained(spec_in(tmp_path / "whole", checkpoint_s=0, **training))
    spec = spec_in(tmp_path / "cut", checkpoint_s=0, **training)
    _cut_off(Fit(spec, CPU), step, monkeypatch)
    resumed = Fit(spec, CPU)
    assert 6 * resumed.progress.epoch + resumed.progress.step == step
    again = trained(spec)
    np.testing.assert_allclose(curve(again), curve(whole), rtol=0, atol=1e-12)
    results = [load_file(str(tmp_path / name / "training" / "result.safetensors")) for name in ("whole", "cut")]
    assert results[0].keys() == results[1].keys()
    assert all(torch.equal(results[0][name], results[1][name]) for name in results[0])


def test_two_checkpoints_are_kept_and_none_is_half(tmp_path: Path) -> None:
    trained(spec_in(tmp_path, checkpoint_s=0))
    names = sorted(path.name for path in (tmp_path / "training").glob("*.checkpoint"))
    assert len(names) == 2
    assert names[-1] == "000004-00000000.checkpoint"
    assert not list((tmp_path / "training").glob("*tmp*"))


def test_a_failed_upload_stops_the_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fit = Fit(spec_in(tmp_path), CPU)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("medray.engine.checkpoint.save_checkpoint", full)
    fit.epoch()
    with pytest.raises(OSError, match="No space"):
        fit.epoch()


def test_training_does_not_wait_for_an_upload(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fit = Fit(spec_in(tmp_path, checkpoint_s=0, epochs=1), CPU)
    busy = []
    put = Uploads.put
    monkeypatch.setattr(Uploads, "put", lambda self, *given: (busy.append(self.busy), put(self, *given))[1])
    fit.epoch()
    fit.finish()
    assert busy[:-1] == [False] * (len(busy) - 1)  # within an epoch none is put while one is on its way


def test_parts_of_a_batch_add_up_to_the_batch(tmp_path: Path) -> None:
    """Without dropout and normalisation over the batch, four parts of two examples step as one of eight."""
    curves = []
    for accumulate in (1, 4):
        spec = spec_in(tmp_path / str(accumulate), accumulate=accumulate, epochs=2)
        plain = spec.family_config.model_copy(update={"dropout": 0.0})
        curves.append(curve(trained(type(spec)(**{**vars(spec), "family_config": plain}))))
    np.testing.assert_allclose(curves[0], curves[1], rtol=1e-5)


def test_an_example_that_comes_again_is_changed_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """3 of 48 ill: balanced, each comes 8 times an epoch, and one change for all of them would be no change at all."""
    named: list[torch.Tensor] = []
    made = feed_module.Draws
    monkeypatch.setattr(
        feed_module, "Draws", lambda seed, epoch, rows: (named.append(rows), made(seed, epoch, rows))[1]
    )
    fit = Fit(spec_in(tmp_path, positive=0.06, sampling="balanced"), CPU)
    ill = fit.feed._examples.targets[:, 0] == 1
    fit.epoch()
    names = torch.cat(named).numpy()
    rows = names % len(ill)
    assert len(set(names.tolist())) == len(names)
    assert abs(int(ill[rows].sum()) - len(rows) / 2) <= 8  # the last batch is not whole
    assert (fit.feed._examples.split[rows] == 0).all()


def test_l1_makes_weights_of_no_use_exactly_zero(tmp_path: Path) -> None:
    kept = {}
    for l1 in (0.0, 0.5):
        trained(spec_in(tmp_path / str(l1), l1=l1, epochs=30, ema=0.0, keep="last", weight_decay=0.0))
        weights = load_file(str(tmp_path / str(l1) / "training" / "result.safetensors"))
        matrices = [value for name, value in weights.items() if name.startswith("weights/") and value.ndim > 1]
        kept[l1] = np.mean([float((value != 0).float().mean()) for value in matrices])
    assert kept[0.0] > 0.85  # but for codes that no row has
    assert kept[0.5] < kept[0.0] - 0.2


def test_start_takes_weights_and_frozen_ones_stay(tmp_path: Path) -> None:
    trained(spec_in(tmp_path / "first", ema=0.0, keep="last"))
    given = load_file(str(tmp_path / "first" / "training" / "result.safetensors"))
    weights = {name.removeprefix("weights/"): value for name, value in given.items() if name.startswith("weights/")}
    save_file(weights, str(tmp_path / "given.safetensors"))
    last = max(weights).rsplit(".", 1)[0] + "."
    start = {"weights": str(tmp_path / "given.safetensors"), "without": [last]}
    fit = Fit(spec_in(tmp_path / "second", start=start), CPU)
    taken = {name for name, value in fit.model.state_dict().items() if torch.equal(value, weights[name])}
    assert {name for name in weights if not name.startswith(last)} <= taken
    assert not all(name in taken for name in weights if name.startswith(last))
    learnt = trained(spec_in(tmp_path / "third", start=start | {"without": []}, frozen=[last], ema=0.0, keep="last"))
    for name, value in learnt.model.state_dict().items():
        if name.startswith(last):
            assert torch.equal(value, weights[name])
    assert any(not torch.equal(value, weights[name]) for name, value in learnt.model.state_dict().items())


def test_frozen_weights_are_set_free(tmp_path: Path) -> None:
    whole = spec_in(tmp_path / "names")
    last = max(name for name, _ in Fit(whole, CPU).model.named_parameters()).rsplit(".", 1)[0] + "."
    fit = Fit(spec_in(tmp_path / "frozen", frozen=[last], frozen_epochs=1, ema=0.0), CPU)
    before = {name: value.clone() for name, value in fit.model.named_parameters() if name.startswith(last)}
    unmoved = []
    for _ in range(2):
        fit.epoch()
        unmoved.append(all(torch.equal(dict(fit.model.named_parameters())[name], before[name]) for name in before))
    assert unmoved == [True, False]


def test_freezing_everything_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="nothing that learns"):
        Fit(spec_in(tmp_path, frozen=[""]), CPU)


@pytest.mark.parametrize("changes", [{"missing": True}, {"shape": True}, {"extra": True}])
def test_weights_of_another_network_are_refused(changes: dict[str, bool], tmp_path: Path) -> None:
    weights = {name: value.clone() for name, value in Fit(spec_in(tmp_path / "a"), CPU).model.state_dict().items()}
    name = next(iter(weights))
    if "missing" in changes:
        del weights[name]
    elif "shape" in changes:
        weights[name] = weights[name][..., :1].clone()
    else:
        weights["stranger"] = torch.zeros(1)
    save_file(weights, str(tmp_path / "given.safetensors"))
    with pytest.raises(ModelError, match="1 \\("):
        Fit(spec_in(tmp_path / "b", start={"weights": str(tmp_path / "given.safetensors")}), CPU)


def test_names_that_freeze_nothing_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="with which no name begins"):
        Fit(spec_in(tmp_path, frozen=["encoder."]), CPU)


def test_a_loss_that_is_no_number_is_told_and_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fit = Fit(spec_in(tmp_path), CPU)
    fit.epoch()
    with torch.no_grad():
        next(fit.model.parameters()).fill_(float("nan"))
    fit.epoch()
    fit.finish()
    assert fit.done()
    told = json.loads(LAKE.read(fit.spec.progress_uri))
    assert told["failed"] == "a loss that is no finite number in epoch 2"
    assert not LAKE.exists(fit.spec.result_uri)
    assert Fit(fit.spec, CPU).progress.place == (1, 0)  # whoever runs it again begins where it was well


def test_figures_add_up(tmp_path: Path) -> None:
    fit = trained(spec_in(tmp_path, epochs=2))
    for record in fit.progress.history:
        assert record["examples_per_s"] * record["seconds"] == pytest.approx(48)  # 6 steps of 8
        assert 0 < record["wait_share"] < 1
        assert record["host_memory_bytes"] > 50e6
