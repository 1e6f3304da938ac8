"""A recipe's GPUs are waited for when they are needed, and refused where they cannot come."""

from __future__ import annotations

import pytest

from medray.engine import session as session_module
from medray.engine.session import gpus, session
from medray.errors import EngineError


@pytest.mark.ray
def test_what_is_free_is_there_at_once_and_is_given_back(ray_session: dict[str, float]) -> None:
    import ray

    for _ in range(3):  # a claim that stayed would leave nothing for the next
        session_module._grow([{"CPU": 1.0}] * int(ray_session["CPU"]))
    assert ray.get(ray.remote(lambda: 1).options(num_cpus=ray_session["CPU"]).remote()) == 1


@pytest.mark.ray
def test_gpus_that_have_come_are_not_waited_for_again(
    ray_session: dict[str, float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fold that trains holds some: another that asked for all of them as free would wait for its end."""
    claims: list[int] = []
    monkeypatch.setattr(session_module, "_grow", lambda parts: claims.append(len(parts)))
    monkeypatch.setattr(session_module, "_gpus_to_come", 2)
    gpus()
    gpus()
    assert claims == [2, 0]


@pytest.mark.ray
def test_what_cannot_come_is_told(ray_session: dict[str, float], monkeypatch: pytest.MonkeyPatch) -> None:
    assert gpus() == 0
    monkeypatch.setattr(session_module, "_gpus_to_come", 2)
    with pytest.raises(EngineError, match="fewer than 2 free GPUs"):
        gpus()
    monkeypatch.setattr(session_module, "_GROW_S", 0.2)
    monkeypatch.setenv("RAY_ADDRESS", "a cluster that does not grow")
    with pytest.raises(EngineError, match=r"\[compute\]"):
        gpus()
    with session() as resources:  # one that is there is used as it is
        assert resources["CPU"] == ray_session["CPU"]


@pytest.mark.ray
def test_a_node_has_the_cpus_that_ray_was_told_of(ray_session: dict[str, float]) -> None:
    assert session_module.node_cpus() == ray_session["CPU"]
