"""What people say of a model's version after it was registered: it stands in the place of its recipe's words.

models/<name>/descriptions/<version>/<n>.json   put if absent; the highest number is in force

A version's record never changes, and neither do its weights.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from medray.storage.audit import actor
from medray.storage.dated import folders
from medray.storage.failures import told
from medray.storage.models import names, registered
from medray.storage.numbered import numbered, put_next
from medray.storage.plans import now
from medray.storage.store import Store
from medray.storage.uri import join


@dataclass(frozen=True)
class Description:
    """Attributes:
    number: from 1, without gaps, of the version.
    words: by field of a model card.
    cause: the run that did it; one run does it once.
    at: when, ISO 8601 in UTC. actor: who.
    """

    number: int
    version: int
    words: Mapping[str, Any]
    cause: str
    at: str
    actor: str


def describe(store: Store, lake: str, name: str, version: int, words: Mapping[str, Any], cause: str) -> Description:
    """Say this of a version from now on, once for each cause. Raises `ModelError` where there is no such version."""
    chosen = registered(store, lake, name, version)
    document = {
        "version": chosen.version, "words": dict(words), "cause": cause, "at": now().isoformat(), "actor": actor(),
    }  # fmt: skip
    return Description(**put_next(store, lake, _folder(name, version), document))


def descriptions(store: Store, lake: str, name: str, version: int) -> list[Description]:
    """All descriptions of a version, oldest first."""
    return [Description(**one) for one in numbered(store, lake, _folder(name, version))]


def every_description(store: Store, lake: str) -> Iterator[tuple[str, Description]]:
    """(model's name, description) of all models of a lake."""
    for name in names(store, lake):
        with told(lake):
            described = folders(store, join(lake, "models", name, "descriptions"))
        for version in described:
            yield from ((name, one) for one in descriptions(store, lake, name, int(version)))


def _folder(name: str, version: int) -> str:
    return f"models/{name}/descriptions/{version:06d}"
