"""What a bucket gets wrong once is tried again, a few times and for a bounded time.

The clients repeat single requests, but not all of them all failures: pyarrow gives up where the text of an
error does not fit into a small read, delta-rs where a listing breaks off. Only what bears repetition
goes through here.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from medray.storage.failures import passes
from medray.storage.uri import is_s3

_T = TypeVar("_T")
_PAUSES_S = (0.5, 2.0)
_PATIENCE_S = 60.0  # a single try may take about as long once more


def patiently(uri: str, act: Callable[[], _T]) -> _T:
    """What `act` returns, at its third try at the latest where the bucket of `uri` fails in a way that passes."""
    started = time.monotonic()
    for pause in _PAUSES_S if is_s3(uri) else ():
        try:
            return act()
        except Exception as error:
            if not passes(error) or time.monotonic() - started > _PATIENCE_S:
                raise
            time.sleep(pause)
    return act()
