"""A training that is killed goes on where it was, and gives the very same model."""

from __future__ import annotations

import pytest
from faults.training_kills import Kill, apart, killed, undisturbed
from scene import Scene

pytestmark = [pytest.mark.ray, pytest.mark.cluster, pytest.mark.timeout(600)]
EPOCHS = 8
KILLS = (Kill("worker", 3, uploading=False), Kill("worker", 7, uploading=True), Kill("driver", 6, uploading=False))


def test_a_killed_training_gives_the_same_curve_and_model(trained: Scene) -> None:
    whole = undisturbed(trained, EPOCHS)
    cut = killed(trained, EPOCHS, KILLS)
    assert [victim for *_, victim in cut.places] == ["worker", "worker", "driver"]
    assert [record["epoch"] for record in cut.history] == list(range(1, EPOCHS + 1))
    assert apart(whole, cut) <= 1e-6
    assert cut.model == whole.model
    newest = max((trained.folder / "lake" / "training").iterdir(), key=lambda path: path.stat().st_mtime)
    assert len(list(newest.glob("*.checkpoint"))) == 2  # older ones are pruned
