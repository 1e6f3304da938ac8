"""Health records and tables from the archive to the report by the recipes of `jobs/recipes`, in five
folds by subject, beside the simple models.

    python -m pytest -m slow tests/quality/test_quality_records.py -s

PhysioNet 2012 needs `set_a_events.parquet` and `outcomes_a.csv` in
`$MEDRAY_TEST_DATA/physionet2012`, by default beside the clone in `../shared/data`; the tables come
with scikit-learn. An hour on two cores, nearly all of it the five mortality models.
"""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from medray import config
from medray.demo.tables import FOLDS, SPLITS, Name, write_tables
from medray.drivers.job import Job
from medray.entry import driver
from medray.narration import Narrator

ROOT = Path(__file__).resolve().parents[2]
RECIPES = ROOT / "jobs" / "recipes"
DATA = Path(os.environ.get("MEDRAY_TEST_DATA", ROOT.parent / "shared" / "data")) / "physionet2012"
pytestmark = [pytest.mark.slow, pytest.mark.ray, pytest.mark.timeout(7200)]


@pytest.fixture
def folder(ray_session: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "key").write_text("k" * 64)
    return tmp_path


def test_breast_cancer_in_five_folds(folder: Path) -> None:
    found = _table("wdbc", folder, "malignant")
    auroc, accuracy = (np.mean([fold["metrics"][name]["value"] for fold in found]) for name in ("auroc", "accuracy"))
    print(f"WDBC: AUROC {auroc:.4f}, accuracy {accuracy:.4f}")
    assert auroc >= 0.995
    assert accuracy >= 0.97


def test_diabetes_in_five_folds(folder: Path) -> None:
    found = _table("diabetes", folder, "progression")
    print(f"diabetes: R2 {np.mean([fold['metrics']['r2']['value'] for fold in found]):.4f}")
    for fold in found:
        best = max((line for line in fold["beside"] if line["metric"] == "r2"), key=lambda line: line["simple"])
        assert best["verdict"] != "worse"


def test_mortality_from_48_hours_in_five_folds(folder: Path) -> None:
    found = _physionet(folder, "mortality", "In-hospital_death")
    for name in ("auroc", "auprc", "min_sensitivity_ppv"):
        print(name, [round(fold["metrics"][name]["value"], 4) for fold in found])
    for baseline in ("linear", "trees"):
        lines = [line for fold in found for line in fold["beside"] if line["baseline"] == baseline]
        for metric in ("auroc", "auprc"):
            each = [line for line in lines if line["metric"] == metric]
            print(baseline, metric, [(round(line["simple"], 4), line["verdict"], line["p"]) for line in each])
            assert np.mean([line["difference"]["value"] for line in each]) > 0


def test_heart_rate_of_the_next_hour_in_five_folds(folder: Path) -> None:
    found = _physionet(folder, "heart_rate", "heart_rate_1h")
    for fold in found:
        lines = {line["baseline"]: line for line in fold["beside"] if line["metric"] == "mae"}
        print({name: (round(line["network"], 3), round(line["simple"], 3)) for name, line in lines.items()})
        assert {lines[name]["verdict"] for name in ("linear", "carried")} == {"better"}


def _table(name: Name, folder: Path, label: str) -> list[dict[str, Any]]:
    write_tables(name, folder / name)
    _run(f"{name}/ingest", f"deidentify.key=file:{folder / 'key'}")
    return [_fold(name, label, number) for number in range(1, FOLDS + 1)]


def _physionet(folder: Path, problem: str, label: str) -> list[dict[str, Any]]:
    if not DATA.exists():
        pytest.skip("no physionet2012 in $MEDRAY_TEST_DATA")
    archive = folder / "physionet2012" / "archive"
    archive.mkdir(parents=True)
    shutil.copy(DATA / "set_a_events.parquet", archive)
    _with_folds(DATA / "outcomes_a.csv", folder / "physionet2012" / "outcomes_a.csv")
    folds = ", ".join(f'fold{number} = "categorical"' for number in range(1, FOLDS + 1))
    columns = f'{{ In-hospital_death = "boolean", Length_of_stay = "float", {folds} }}'
    _run("physionet2012/ingest", f"deidentify.key=file:{folder / 'key'}", f"labels.columns={columns}")
    return [_fold(f"physionet2012/{problem}", label, number) for number in range(1, FOLDS + 1)]


def _with_folds(source: Path, target: Path) -> None:
    """The outcomes with the splits of five folds, drawn by record."""
    with source.open(newline="") as stream:
        rows: Sequence[dict[str, str]] = list(csv.DictReader(stream))
    parts = np.random.default_rng(0).permutation(len(rows)) % FOLDS
    folds = [{f"fold{k + 1}": SPLITS[(part - k) % FOLDS] for k in range(FOLDS)} for part in parts.tolist()]
    with target.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, [*rows[0], *folds[0]])
        writer.writeheader()
        writer.writerows({**row, **fold} for row, fold in zip(rows, folds, strict=True))


def _fold(recipes: str, label: str, number: int) -> dict[str, Any]:
    trained = _run(f"{recipes}/train", f"split={{ label = 'fold{number}' }}", "training.workers=2")
    told: Mapping[str, Any] = _run(f"{recipes}/evaluate", f"model.version={trained.facts['version']}").facts
    return {"metrics": told["metrics"][label]["metrics"], "beside": told["comparisons"]}


def _run(name: str, *changes: str) -> Any:
    recipe = config.load(str(RECIPES / f"{name}.toml"), changes)
    return driver(recipe.job)(recipe, Job("2026-01-01", Narrator()))
