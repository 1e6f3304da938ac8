"""Sources whose files are read one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from medray.contracts import RecordFile


def no_lookups(files: Sequence[RecordFile], config: Any) -> None:
    """Nothing is needed of the other files."""
