"""`[model.card]`: what only people know of a model."""

from __future__ import annotations

from medray.recipes.recipe import Section


class CardText(Section):
    """The part of a model card that people write; a model that is promoted has all of it.

    Attributes:
        intended_use: what the model is for: whose question it answers, for whom, at which point of care.
        exclusions: who and what it is not for.
        limits: what is known to be weak about it, beyond what its numbers show.
        licence: under which terms the model may be used, and those of its data.
    """

    intended_use: str = ""
    exclusions: str = ""
    limits: str = ""
    licence: str = ""

    def empty(self) -> tuple[str, ...]:
        """The fields that say nothing: not one letter in them."""
        return tuple(name for name, text in self if not any(letter.isalpha() for letter in text))
