"""Tokens of irregular events, as networks receive them."""

from __future__ import annotations

from typing import NamedTuple

import torch

CHANNELS = ("code", "hours", "value", "has_value", "static")


class Events(NamedTuple):
    """N examples of E events each, in any order.

    Attributes:
        code: int64 (N, E), the code's place in the vocabulary from 1; 0 is padding.
        hours: float (N, E), hours before the prediction; the window's length for static facts.
        value: float (N, E), normalised; 0 where there is none.
        has_value, static: bool (N, E).
    """

    code: torch.Tensor
    hours: torch.Tensor
    value: torch.Tensor
    has_value: torch.Tensor
    static: torch.Tensor

    @property
    def present(self) -> torch.Tensor:
        """bool (N, E): not padding."""
        return self.code > 0


def unpack(tokens: torch.Tensor) -> Events:
    """float (N, E, C) in the order of `CHANNELS` -> its parts, without columns that are padding in
    all examples: most batches are far from the longest window."""
    tokens = tokens[:, (tokens[..., 0] > 0).any(dim=0)]
    code, hours, value, has_value, static = tokens.unbind(-1)
    return Events(code.long(), hours, value, has_value > 0, static > 0)
