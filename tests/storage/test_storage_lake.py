"""A lake belongs to one key and one privacy."""

from __future__ import annotations

import pytest

from medray.errors import KeyMismatchError
from medray.storage.lake import Identity, claim
from medray.storage.store import Store

MINE = Identity("0123456789abcdef", identified=False)


def test_the_same_identity_may_come_again(store: Store, lake: str) -> None:
    claim(store, lake, MINE)
    claim(store, lake, MINE)


def test_another_key_is_refused(store: Store, lake: str) -> None:
    claim(store, lake, MINE)
    with pytest.raises(KeyMismatchError, match=r"fedcba9876543210.*0123456789abcdef"):
        claim(store, lake, Identity("fedcba9876543210", identified=False))
    claim(store, lake, MINE)


@pytest.mark.parametrize("begun", [False, True])
def test_the_other_privacy_is_refused(store: Store, lake: str, begun: bool) -> None:
    claim(store, lake, Identity(MINE.key_fingerprint, begun))
    with pytest.raises(KeyMismatchError, match="profile"):
        claim(store, lake, Identity(MINE.key_fingerprint, not begun))
