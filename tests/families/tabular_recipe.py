"""A tabular recipe that the tests of this room change one word at a time, and windows to read."""

from __future__ import annotations

from typing import Any

import numpy as np

from medray.contracts import Window
from medray.families.tabular.config import TabularConfig
from medray.ops.code_id import code_id

CONFIG: dict[str, Any] = {
    "name": "tabular", "columns": [{"codes": ["HR", "Temp"], "take": ["last", "mean"]}],
    "categories": {"sex": ["M", "F"]}, "min_events": 1, "architecture": "mlp", "width": 8, "layers": 2,
    "dropout": 0.1,
}  # fmt: skip
NAN = float("nan")


def config(**changes: Any) -> TabularConfig:
    return TabularConfig(**(CONFIG | changes))


def window(*events: tuple[str, float, float]) -> Window:
    """A window of (code, hours before, value), oldest first."""
    return Window(
        code=np.array([code_id(code) for code, _, _ in events], np.int64),
        hours=np.array([hours for _, hours, _ in events], np.float32),
        value=np.array([value for _, _, value in events], np.float32),
    )
