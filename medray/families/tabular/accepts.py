"""Row of `labels` -> is the window in the range that the model was made for?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from medray.contracts import Refusal
from medray.families.tabular.config import TabularConfig


def accepts(header: Mapping[str, Any], config: TabularConfig) -> Refusal | None:
    """None, or that the window holds too few events.

    Args:
        header: the input's row of `labels`, with `observed`.
        config: the declared range.
    """
    return Refusal("too_few_events") if header["observed"] < config.min_events else None
