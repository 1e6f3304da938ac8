"""Which version of a model is in production: a numbered record each time it changes, never replaced.

models/<name>/promotions/<n>.json   put if absent; the highest number is in force
"""

from __future__ import annotations

from dataclasses import dataclass

from medray.errors import ModelError
from medray.storage.audit import actor
from medray.storage.failures import told
from medray.storage.models import Registered, registered
from medray.storage.numbered import numbered, put_next
from medray.storage.plans import now
from medray.storage.store import Store
from medray.storage.uri import join


@dataclass(frozen=True)
class Promotion:
    """Attributes:
    number: from 1, without gaps.
    version, model_sha256: what went into production.
    cause: the run that did it; one run does it once.
    at: when, ISO 8601 in UTC. actor: who.
    """

    number: int
    version: int
    model_sha256: str
    cause: str
    at: str
    actor: str


def promote(store: Store, lake: str, name: str, version: int, cause: str) -> Promotion:
    """Make a version the production model, once for each cause."""
    chosen = registered(store, lake, name, version)
    document = {
        "version": chosen.version, "model_sha256": chosen.sha256, "cause": cause, "at": now().isoformat(),
        "actor": actor(),
    }  # fmt: skip
    return Promotion(**put_next(store, lake, _folder(name), document))


def promotions(store: Store, lake: str, name: str) -> list[Promotion]:
    """All promotions of a name, oldest first."""
    return [Promotion(**one) for one in numbered(store, lake, _folder(name))]


def names_with_promotions(store: Store, lake: str) -> list[str]:
    """Names of models that were ever in production, sorted."""
    with told(lake):
        try:
            parts = [item.uri.removeprefix(lake).strip("/").split("/") for item in store.walk(join(lake, "models"))]
        except FileNotFoundError:
            return []
    return sorted({part[1] for part in parts if len(part) == 4 and part[2] == "promotions"})


def choose(store: Store, lake: str, name: str, version: int | str) -> Registered:
    """A version by number, or the one in production.

    Raises:
        ModelError: there is no such version, or none is in production.
    """
    return registered(
        store, lake, name, version if isinstance(version, int) else in_production(store, lake, name).version
    )


def in_production(store: Store, lake: str, name: str) -> Promotion:
    """The promotion in force.

    Raises:
        ModelError: none is in production.
    """
    have = promotions(store, lake, name)
    if not have:
        raise ModelError(
            f"model {name!r} in {lake}",
            "no version in production",
            "a promoted version",
            f"run `medray models promote {name} VERSION --lake {lake}`",
        )
    return have[-1]


def before(have: list[Promotion], lake: str, name: str) -> Promotion:
    """The newest promotion of another version than the one in force: where a rollback goes.

    Raises:
        ModelError: there was no other.
    """
    for one in reversed(have):
        if one.version != have[-1].version:
            return one
    raise ModelError(
        f"model {name!r} in {lake}",
        f"{len({one.version for one in have})} version(s) that were ever in production",
        "an earlier one to go back to",
        f"name one: `medray models promote {name} VERSION --lake {lake}`",
    )


def _folder(name: str) -> str:
    return f"models/{name}/promotions"
