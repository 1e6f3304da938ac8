"""pydicom without a voice: its warnings and log lines quote the header."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from pydicom import config

_LOGGER = logging.getLogger("pydicom")


@contextmanager
def quiet() -> Iterator[None]:
    """Inside, pydicom neither warns, logs nor validates values (medray checks what it keeps)."""
    was = _LOGGER.disabled
    _LOGGER.disabled = True
    try:
        with warnings.catch_warnings(), config.disable_value_validation():
            warnings.simplefilter("ignore")
            yield
    finally:
        _LOGGER.disabled = was
