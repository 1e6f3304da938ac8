"""Answers on their way to `held`: byte-equal copies, so that a release publishes the very files that were held."""

from __future__ import annotations

from collections.abc import Sequence

from medray.schema.held import HELD
from medray.schema.predictions import PREDICTIONS
from medray.storage.delta import NewFile, table_uri
from medray.storage.failures import told
from medray.storage.store import Store
from medray.storage.uri import join


def hold(store: Store, lake: str, files: Sequence[NewFile]) -> None:
    """Put a run's files of answers where `held` can name them."""
    with told(lake):
        for file in files:
            data = store.read(join(table_uri(lake, PREDICTIONS.name), file.path))
            store.put_if_absent(join(table_uri(lake, HELD.name), file.path), data)
