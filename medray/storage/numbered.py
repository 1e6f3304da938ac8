"""Records in a folder, numbered from 1 without gaps, put if absent and never replaced: the highest is in force.

<folder>/000001.json, <folder>/000002.json, ...
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from medray.storage.failures import told
from medray.storage.store import Store
from medray.storage.uri import join

Document = dict[str, Any]


def numbered(store: Store, lake: str, folder: str) -> list[Document]:
    """All records of a folder of the lake, oldest first; none where there is no folder."""
    with told(lake):
        try:
            listed = list(store.walk(join(lake, folder)))
        except FileNotFoundError:
            return []
        return [json.loads(store.read(item.uri)) for item in listed if item.uri.endswith(".json")]


def put_next(store: Store, lake: str, folder: str, document: Mapping[str, Any]) -> Document:
    """The record with the next `number`; that of the same `cause`, where there is one already."""
    while True:
        have = numbered(store, lake, folder)
        for one in have:
            if one["cause"] == document["cause"]:
                return one
        made = {**document, "number": len(have) + 1}
        with told(lake):
            uri = join(lake, folder, f"{made['number']:06d}.json")
            if store.put_if_absent(uri, json.dumps(made, sort_keys=True).encode()):
                return made
