"""Whose a name in `labels` is: what a problem has claimed is given by nothing else, for ever."""

from __future__ import annotations

import json
from urllib.parse import quote

from medray.storage.failures import told
from medray.storage.store import Store
from medray.storage.uri import join


def problem_of(store: Store, lake: str, label: str) -> str | None:
    """The problem that has claimed a label, if one has."""
    with told(lake):
        try:
            return str(json.loads(store.read(_uri(lake, label)))["problem"])
        except FileNotFoundError:
            return None


def claim_label(store: Store, lake: str, label: str, problem: str) -> str:
    """Claim a label for a problem. Returns the one that owns it: who came first."""
    with told(lake):
        if store.put_if_absent(_uri(lake, label), json.dumps({"problem": problem}).encode()):
            return problem
    return problem_of(store, lake, label) or problem


def _uri(lake: str, label: str) -> str:
    return join(lake, "problems", "labels", f"{quote(label, safe='')}.json")
