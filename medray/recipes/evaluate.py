"""`evaluate`: how good a model is, for whom, against what."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, FiniteFloat, model_validator

from medray.recipes.problem import Code
from medray.recipes.recipe import Name, Recipe, Section
from medray.recipes.score import ModelChoice

GIVEN = ("sex", "age", "site_key", "scanner_key")  # attributes that every evaluation asks for
Share = Annotated[float, Field(gt=0, le=1)]
Seed = Annotated[int, Field(ge=0)]


def _rising(values: tuple[float, ...]) -> tuple[float, ...]:
    if any(low >= high for low, high in pairwise(values)):
        raise ValueError("each value must be above the one before")
    return values


class Coded(Section):
    """A trait that events of records tell: the newest of them that was known at the prediction time.

    Attributes:
        code: of the events; a star at the end means the beginning of codes ("GENDER//*").
        names: value -> how the report calls it; all others are "other". A value is the event's text,
            else its number ("0"), else what its code has in the place of the star. Without names the
            values are told as they are, where they are 12 at most.
    """

    code: Code
    names: dict[str, str] = {}


class Age(Section):
    """Age at the prediction time, from events of records.

    Attributes:
        code: of the events.
        unit: "birth": the event's time is the birth; else what its number counts.
    """

    code: Code = "MEDS_BIRTH"
    unit: Literal["birth", "years", "months", "days"] = "birth"


class Subgroups(Section):
    """For whom the model is measured apart. Images have their traits in header columns; for records
    events tell them, and `sex`, `age` and `other` say which.

    Attributes:
        other: name of a further trait -> its events.
        age_bands: years from which each band begins; the last one is open.
        min_examples: a smaller group is counted and not measured.
        min_each_class: likewise for a group with fewer positives, or negatives, of a yes-or-no answer.
    """

    sex: Coded = Coded(code="GENDER//*")
    age: Age = Age()
    other: dict[Name, Coded] = {}
    age_bands: Annotated[tuple[FiniteFloat, ...], Field(min_length=1), AfterValidator(_rising)] = (0, 18, 40, 65, 90)
    min_examples: int = Field(default=30, ge=2)
    min_each_class: int = Field(default=10, ge=1)

    @model_validator(mode="after")
    def _names_of_their_own(self) -> Self:
        taken = sorted(set(self.other) & set(GIVEN))
        if taken:
            raise ValueError(f"{', '.join(taken)} is asked for already: choose another name")
        return self


class DecisionCurve(Section):
    """The thresholds that a clinician may hold: the net benefit is told for 51 between the two."""

    lowest: float = Field(default=0.0, ge=0, lt=1)
    highest: float = Field(default=0.5, gt=0, lt=1)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.lowest >= self.highest:
            raise ValueError(f"lowest {self.lowest} is not below highest {self.highest}")
        return self


class LearningCurve(Section):
    """The same training on parts of the training subjects, each part within the next larger one. It costs
    a training for each share and seed.

    Attributes:
        shares: of the training subjects, rising.
        seeds: of the trainings.
    """

    shares: Annotated[tuple[Share, ...], Field(min_length=1), AfterValidator(_rising)] = (0.1, 0.25, 0.5, 1.0)
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1)] = (1,)


class EvaluateRecipe(Recipe):
    """Attributes:
    split: the subjects to evaluate on; the training split is refused.
    resamples: bootstrap resamples by subject.
    against: another model of the lake, measured on the same inputs.
    learning_curve: on the tuning split, whatever `split` is; without the section there is none.
    """

    job: Literal["evaluate"]
    model: ModelChoice
    split: Literal["held_out", "tuning"]
    seed: int
    resamples: int = Field(default=1000, ge=100)
    subgroups: Subgroups = Subgroups()
    decision_curve: DecisionCurve = DecisionCurve()
    against: ModelChoice | None = None
    learning_curve: LearningCurve | None = None
