"""The lake's identity: which key and which privacy it was opened with first."""

from __future__ import annotations

import json
from dataclasses import dataclass

from medray.errors import KeyMismatchError
from medray.storage.failures import told
from medray.storage.store import Store
from medray.storage.uri import join

FORMAT = 1


@dataclass(frozen=True)
class Identity:
    """What all writers of a lake share.

    Attributes:
        key_fingerprint: of the de-identification key.
        identified: the lake keeps original UIDs and dates.
    """

    key_fingerprint: str
    identified: bool


def claim(store: Store, lake: str, identity: Identity) -> None:
    """Write the identity to a new lake, or compare it with the one that stands.

    Raises:
        KeyMismatchError: the lake belongs to another key or another privacy.
    """
    uri = join(lake, "lake.json")
    document = {"format": FORMAT, "key_fingerprint": identity.key_fingerprint, "identified": identity.identified}
    with told(lake):
        if store.put_if_absent(uri, json.dumps(document, sort_keys=True).encode()):
            return
        stands = json.loads(store.read(uri))
    if stands["identified"] != identity.identified:
        raise KeyMismatchError(
            where=f"lake {lake}",
            found=f"a recipe for an {_word(identity.identified)} lake",
            allowed=f"recipes for an {_word(stands['identified'])} lake, which this is",
            do="correct [deidentify] profile, or name another lake",
        )
    if stands["key_fingerprint"] != identity.key_fingerprint:
        raise KeyMismatchError(
            where=f"lake {lake}",
            found=f"de-identification key with fingerprint {identity.key_fingerprint}",
            allowed=f"the key with fingerprint {stands['key_fingerprint']}, with which the lake was begun",
            do="give the job that key, or name another lake",
        )


def _word(identified: bool) -> str:
    return "identified" if identified else "de-identified"
