"""Models: named by their content, numbered by their name, one of them in production."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from medray.contracts import Array
from medray.errors import ModelError
from medray.storage.descriptions import describe, descriptions, every_description
from medray.storage.models import load_model, model_subjects, register, save_model, versions
from medray.storage.promotions import choose, promote
from medray.storage.store import Store

WEIGHTS = {"b": np.array([1.5, -2], np.float32), "a": np.arange(6, dtype=np.float32).reshape(2, 3)}
DEFINITION: dict[str, Any] = {"family": "image", "calibration": {"temperature": 1.5}}
SUBJECTS = {"train": np.array([3, 1, 3, 2], np.int64), "tuning": np.array([5, 4], np.int64)}


def save(store: Store, lake: str, weights: dict[str, Array] | None = None, **changes: Any) -> str:
    return save_model(store, lake, weights or WEIGHTS, {**DEFINITION, **changes}, SUBJECTS)


def test_a_model_comes_back_as_it_was(store: Store, lake: str) -> None:
    sha256 = save(store, lake)
    model = load_model(store, lake, sha256)
    assert model.sha256 == sha256
    assert model.definition == {"format": 1, **DEFINITION}
    assert {name: (value.dtype, value.tolist()) for name, value in model.weights.items()} == {
        name: (value.dtype, value.tolist()) for name, value in WEIGHTS.items()
    }
    found = model_subjects(store, lake, sha256)
    assert {split: subjects.tolist() for split, subjects in found.items()} == {"train": [1, 2, 3], "tuning": [4, 5]}


def test_the_name_follows_from_the_content(store: Store, lake: str) -> None:
    sha256 = save(store, lake)
    assert save(store, lake, dict(reversed(WEIGHTS.items()))) == sha256
    assert save(store, lake, {**WEIGHTS, "b": np.array([1.5, -2.0001], np.float32)}) != sha256
    assert save(store, lake, calibration={"temperature": 1.4}) != sha256


def test_a_transposed_view_is_stored_as_it_reads(store: Store, lake: str) -> None:
    view = np.arange(6, dtype=np.float32).reshape(2, 3).T
    assert load_model(store, lake, save(store, lake, {"a": view})).weights["a"].tolist() == view.tolist()


@pytest.mark.parametrize("file", ["weights.safetensors", "model.json"])
def test_damaged_bytes_are_refused(store: Store, lake: str, file: str) -> None:
    sha256 = save(store, lake)
    path = Path(lake, "models", "blobs", sha256, file)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(ModelError, match="do not match"):
        load_model(store, lake, sha256)


def test_a_missing_model_is_told(store: Store, lake: str) -> None:
    with pytest.raises(ModelError, match="no such model"):
        load_model(store, lake, "0" * 64)


def test_a_newer_format_is_refused(store: Store, lake: str) -> None:
    with pytest.raises(ModelError, match="format 2"):
        load_model(store, lake, save(store, lake, format=2))


def test_versions_count_up_and_hold_their_cards(store: Store, lake: str) -> None:
    assert versions(store, lake, "m") == []
    for number in range(1, 12):
        sha256 = save(store, lake, calibration=number)
        assert register(store, lake, "m", sha256, {"run_id": f"r{number}"}).version == number
    assert [(one.version, one.card["run_id"]) for one in versions(store, lake, "m")] == [
        (n, f"r{n}") for n in range(1, 12)
    ]
    assert versions(store, lake, "other") == []


def test_a_run_registers_its_model_once(store: Store, lake: str) -> None:
    sha256 = save(store, lake)
    first = register(store, lake, "m", sha256, {"run_id": "r1"})
    again = register(store, lake, "m", sha256, {"run_id": "r1"})
    assert (again.version, again.sha256) == (first.version, first.sha256) == (1, sha256)
    assert register(store, lake, "m", sha256, {"run_id": "r2"}).version == 2


def test_a_lost_race_takes_the_next_number(store: Store, lake: str, monkeypatch: pytest.MonkeyPatch) -> None:
    register(store, lake, "m", "a" * 64, {"run_id": "r1"})
    monkeypatch.setattr("medray.storage.models.versions", lambda *_: [])  # listed before the other put
    assert register(store, lake, "m", "b" * 64, {"run_id": "r2"}).version == 2
    monkeypatch.undo()
    assert [one.card["run_id"] for one in versions(store, lake, "m")] == ["r1", "r2"]


def test_the_production_pointer_moves_as_a_whole(store: Store, lake: str) -> None:
    first, second = (register(store, lake, "m", save(store, lake, calibration=n), {"run_id": f"r{n}"}) for n in (1, 2))
    with pytest.raises(ModelError, match="no version in production"):
        choose(store, lake, "m", "production")
    for chosen in (second, first):
        assert promote(store, lake, "m", chosen.version, chosen.card["run_id"]).model_sha256 == chosen.sha256
        assert choose(store, lake, "m", "production").sha256 == chosen.sha256
    assert choose(store, lake, "m", 2).card["run_id"] == "r2"


def test_an_unknown_version_names_those_that_there_are(store: Store, lake: str) -> None:
    for number in (1, 2):
        register(store, lake, "m", save(store, lake, calibration=number), {"run_id": f"r{number}"})
    with pytest.raises(ModelError, match="versions: 1, 2"):
        promote(store, lake, "m", 3, "r")
    with pytest.raises(ModelError, match="versions: none"):
        choose(store, lake, "other", 1)


def test_descriptions_count_up_for_each_version_and_come_once_for_each_cause(store: Store, lake: str) -> None:
    for number in (1, 2):
        register(store, lake, "m", save(store, lake, calibration=number), {"run_id": f"r{number}"})
    first = describe(store, lake, "m", 1, {"limits": "a"}, "one")
    assert describe(store, lake, "m", 1, {"limits": "b"}, "one") == first
    assert describe(store, lake, "m", 1, {"limits": "c"}, "two").number == 2
    assert describe(store, lake, "m", 2, {"limits": "d"}, "two").number == 1
    assert [one.words["limits"] for one in descriptions(store, lake, "m", 1)] == ["a", "c"]
    told = [(name, one.version, one.number) for name, one in every_description(store, lake)]
    assert told == [("m", 1, 1), ("m", 1, 2), ("m", 2, 1)]
    with pytest.raises(ModelError, match="versions: 1, 2"):
        describe(store, lake, "m", 3, {}, "three")
    assert [one.card["run_id"] for one in versions(store, lake, "m")] == ["r1", "r2"]
