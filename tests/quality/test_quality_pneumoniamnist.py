"""PneumoniaMNIST from the file to the report by the recipes of `jobs/recipes/pneumoniamnist`.

    python -m pytest -m slow tests/quality -s

Needs `pneumoniamnist.npz` in `$MEDRAY_TEST_DATA/pneumoniamnist`, by default beside the clone in
`../shared/data`. Twelve minutes on two cores.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from medray import config
from medray.demo.settings import write_medmnist
from medray.drivers.job import Job
from medray.entry import driver
from medray.narration import Narrator

ROOT = Path(__file__).resolve().parents[2]
RECIPES = ROOT / "jobs" / "recipes" / "pneumoniamnist"
DATA = Path(os.environ.get("MEDRAY_TEST_DATA", ROOT.parent / "shared" / "data"))
SEEDS = (1, 2, 3)


@pytest.mark.slow
@pytest.mark.ray
@pytest.mark.timeout(3600)
def test_three_seeds_tune_above_0995(ray_session: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = DATA / "pneumoniamnist" / "pneumoniamnist.npz"
    if not file.exists():
        pytest.skip(f"no {file.name} in $MEDRAY_TEST_DATA/pneumoniamnist")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "key").write_text("k" * 64)
    write_medmnist(file, tmp_path / "pneumonia", "pneumonia")
    _run("ingest", f"deidentify.key=file:{tmp_path / 'key'}")
    aurocs = []
    for seed in SEEDS:
        trained = _run("train", f"training.seed={seed}")
        found = _run("evaluate", 'split="tuning"', f"model.version={trained.facts['version']}")
        metrics = found.facts["metrics"]["pneumonia"]["metrics"]
        aurocs.append(metrics["auroc"]["value"])
        print(
            seed,
            {name: round(metrics[name]["value"], 4) for name in ("auroc", "accuracy", "sensitivity", "specificity")},
        )
    assert np.mean(aurocs) >= 0.995


def _run(name: str, *changes: str) -> Any:
    recipe = config.load(str(RECIPES / f"{name}.toml"), changes)
    return driver(recipe.job)(recipe, Job("2026-01-01", Narrator()))
