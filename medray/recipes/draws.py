"""What the trials of a search try: drawn before the first of them begins, from the recipe alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Self

import numpy as np
from pydantic import Discriminator, Field, FiniteFloat, Tag, model_validator

from medray.recipes.recipe import Section

_DIGITS = 4  # of a drawn number: what a person can read and write


class Between(Section):
    """Numbers from `low` to `high`, both included: whole ones where the setting is a whole number.

    Attributes:
        log: each factor is as likely as the next, instead of each difference.
    """

    low: int | FiniteFloat
    high: int | FiniteFloat
    log: bool = False

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.low < self.high:
            raise ValueError(f"low {self.low} is not below high {self.high}")
        if self.log and self.low <= 0:
            raise ValueError(f"a range by factors begins above 0, not at {self.low}")
        return self

    @property
    def ends(self) -> tuple[Any, ...]:
        """What is tried if anything of the range is."""
        return self.low, self.high

    def at(self, share: float, whole: bool) -> Any:
        """The value below which `share` of the range lies, 0 <= share < 1."""
        low, high = (float(self.low), float(self.high) + whole)
        value = low * (high / low) ** share if self.log else low + (high - low) * share
        if whole:
            return min(math.floor(value), int(self.high))
        return min(max(float(f"{value:.{_DIGITS}g}"), float(self.low)), float(self.high))


class OneOf(Section):
    """One of some choices; one that is a table sets the keys that it holds."""

    of: tuple[Any, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if any(one in self.of[:place] for place, one in enumerate(self.of)):
            raise ValueError("each choice may stand once")
        return self

    @property
    def ends(self) -> tuple[Any, ...]:
        """What is tried if anything of the range is."""
        return self.of

    def at(self, share: float, whole: bool) -> Any:  # noqa: ARG002  a choice is what it is
        """The choice below which `share` of them stand, 0 <= share < 1."""
        return self.of[int(share * len(self.of))]


def _kind(value: Any) -> str:
    return "of" if isinstance(value, OneOf) or (isinstance(value, Mapping) and "of" in value) else "between"


Range = Annotated[Annotated[Between, Tag("between")] | Annotated[OneOf, Tag("of")], Discriminator(_kind)]
Values = dict[str, Any]  # by name of the setting


def draw(ranges: Mapping[str, Between | OneOf], own: Values, trials: int, seed: int) -> list[Values]:
    """The settings of every trial.

    The first trial is the recipe as it stands (`own`): what is found is compared with it. The others
    are a Latin hypercube: each setting is drawn once from each of `trials - 1` equal parts of its
    range (McKay, Beckman and Conover 1979), so that few trials miss no part of it.
    """
    rng = np.random.default_rng(seed)
    drawn = trials - 1
    columns: dict[str, Sequence[Any]] = {}
    for name in sorted(ranges):
        shares = (rng.permutation(drawn) + rng.random(drawn)) / max(drawn, 1)
        columns[name] = [ranges[name].at(float(share), _is_whole(own[name])) for share in shares]
    return [own, *({name: columns[name][place] for name in ranges} for place in range(drawn))]


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
