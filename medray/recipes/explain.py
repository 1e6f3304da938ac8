"""`explain`: why a model answers as it does."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from medray.recipes.recipe import Recipe, Section
from medray.recipes.score import ModelChoice, Select

OF_PLACES = ("grad_cam", "integrated_gradients")
OF_PARTS = ("shap", "lime")
WITHOUT_REFERENCE = ("grad_cam",)
Method = Literal["grad_cam", "integrated_gradients", "shap", "lime"]


class Effort(Section):
    """How much is looked at for one explanation: accuracy against time.

    Attributes:
        steps: of integrated gradients, at most; it takes more until its error is small.
        permutations: orders of SHAP; they come in pairs.
        samples: of LIME.
        grid: rows and columns of a stored map, at most.
        features: the largest attributions that have a row of their own; the others are summed.
    """

    steps: int = Field(default=512, ge=8, le=16_384)
    permutations: int = Field(default=32, ge=2, le=4096, multiple_of=2)
    samples: int = Field(default=1000, ge=50, le=100_000)
    grid: int = Field(default=32, ge=4, le=256)
    features: int = Field(default=20, ge=1, le=10_000)


class ExplainRecipe(Recipe):
    """Attributes:
    label: which answer, as in `predictions`.
    methods: "grad_cam" and "integrated_gradients" of images, "shap" and "lime" of records.
    reference: what stands in the place of what is taken away: of images "black" or "mean", of a table
        "missing" or "mean", of windows of events "missing" or "median". Not for Grad-CAM alone.
    seed: of SHAP, of LIME, and of which inputs are taken.
    inputs: at most so many of those that are asked for, by a hash of the seed and the input.
    split: only labelled inputs of this split of the model.
    select: of images which, and of which nights; with a split there is nothing to select.
    above: only inputs that the model has answered with this probability (or number) or a higher one.
    """

    job: Literal["explain"]
    model: ModelChoice
    label: str
    methods: Annotated[tuple[Method, ...], Field(min_length=1)]
    reference: str | None = None
    seed: int
    inputs: int = Field(default=500, ge=1, le=20_000)
    split: Literal["train", "tuning", "held_out"] | None = None
    select: Select = Select()
    above: float | None = None
    effort: Effort = Effort()

    @model_validator(mode="after")
    def _methods_fit(self) -> Self:
        if len(set(self.methods)) < len(self.methods):
            raise ValueError("each method may stand once in 'methods'")
        places = [method for method in self.methods if method in OF_PLACES]
        if 0 < len(places) < len(self.methods):
            raise ValueError(
                f"{' and '.join(OF_PLACES)} explain images, {' and '.join(OF_PARTS)} records: name one kind"
            )
        needed = any(method not in WITHOUT_REFERENCE for method in self.methods)
        if needed != (self.reference is not None):
            raise ValueError("'reference' belongs to all methods but grad_cam, which need it")
        return self

    @model_validator(mode="after")
    def _asked_once(self) -> Self:
        if self.split is not None and self.select != Select():
            raise ValueError("give 'split' or [select], not both")
        return self

    def reference_of(self, method: str) -> str | None:
        """What an explanation by a method is relative to."""
        return None if method in WITHOUT_REFERENCE else self.reference
