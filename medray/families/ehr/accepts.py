"""Header of an input -> does its window hold enough events?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from medray.contracts import Refusal
from medray.families.ehr.config import EhrConfig


def accepts(header: Mapping[str, Any], config: EhrConfig) -> Refusal | None:
    """None, or why the input is outside what the recipe declares.

    Args:
        header: the input's row of `labels`; `observed` says how many events its window holds.
    """
    return Refusal("too_few_events") if header["observed"] < config.min_events else None
