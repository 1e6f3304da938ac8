"""Two classic tables of scikit-learn as record archives with label files, in five folds."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, cast, get_args

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.model_selection import KFold, StratifiedKFold

from medray.contracts import Array
from medray.errors import RecipeError

FOLDS = 5
SPLITS = ("held_out", "tuning", "train", "train", "train")  # of folds k, k + 1, ...
Name = Literal["wdbc", "diabetes"]


def known(name: str) -> Name:
    """The name of a table. Raises `RecipeError` for another word."""
    if name in get_args(Name):
        return cast(Name, name)
    raise RecipeError("medray tables", repr(name), "wdbc, diabetes", "name one of the two")


def write_tables(name: Name, folder: Path) -> int:
    """Write `folder/archive/<name>.csv` (one row a patient) and `folder/labels.csv` (the answer and
    the split of each patient in five folds: `fold1` ... `fold5`). Returns the number of patients.

    wdbc: Breast Cancer Wisconsin (Diagnostic), Street, Wolberg & Mangasarian 1993, CC BY 4.0.
    diabetes: Efron, Hastie, Johnstone & Tibshirani, Annals of Statistics 2004.
    """
    values, names, answer = _wdbc() if name == "wdbc" else _diabetes()
    ids = [f"{name}-{number:04d}" for number in range(len(values))]
    columns = {column: values[:, place] for place, column in enumerate(names)}
    label, truth = answer
    parts = _parts(truth, stratified=name == "wdbc")
    folds = {f"fold{k + 1}": [SPLITS[(part - k) % FOLDS] for part in parts] for k in range(FOLDS)}
    (folder / "archive").mkdir(parents=True, exist_ok=True)
    _write(folder / "archive" / f"{name}.csv", {"id": ids, **columns})
    _write(folder / "labels.csv", {"id": ids, label: truth, **folds})
    return len(ids)


def _wdbc() -> tuple[Array, list[str], tuple[str, Array]]:
    data = load_breast_cancer()
    malignant = (data.target == 0).astype(np.int64)  # scikit-learn counts benign as 1
    return data.data, list(data.feature_names), ("malignant", malignant)


def _diabetes() -> tuple[Array, list[str], tuple[str, Array]]:
    data = load_diabetes(scaled=False)
    return data.data, list(data.feature_names), ("progression", data.target)


def _parts(truth: Array, *, stratified: bool) -> Array:
    cut = StratifiedKFold if stratified else KFold
    parts = np.empty(len(truth), np.int64)
    folds = cut(FOLDS, shuffle=True, random_state=0).split(np.zeros(len(truth)), truth)
    for number, (_, rows) in enumerate(folds):
        parts[rows] = number
    return parts


def _write(path: Path, columns: dict[str, Any]) -> None:
    pacsv.write_csv(pa.table(columns), path)
