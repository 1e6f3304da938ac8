"""What `[task]` of a recipe may say. Reads without torch, so that a laptop can check a recipe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FiniteFloat, model_validator

CLASS_SEPARATOR = "//"  # multiclass and ordinal: one question per class, named label//class
ThresholdRule = Literal["youden", "accuracy", "min_sensitivity_ppv"]
RegressionLoss = Literal["squared", "absolute", "huber"]


def _plain(name: str) -> str:
    if not name.strip() or CLASS_SEPARATOR in name:
        raise ValueError(f"a name must not be blank and must not hold '{CLASS_SEPARATOR}'")
    return name


def _distinct(names: Sequence[str]) -> Sequence[str]:
    if len(set(names)) < len(names):
        raise ValueError("each name may stand once")
    return names


Name = Annotated[str, AfterValidator(_plain)]
Smoothing = Annotated[float, Field(ge=0.0, lt=1.0)]
Focus = Annotated[float, Field(ge=0.0, le=10.0)]


class BinaryConfig(BaseModel):
    """One yes-or-no question.

    Attributes:
        label: the question, as in the label file.
        class_weights: weigh yes and no so that both count alike in the loss.
        threshold: rule on the tuning split from which probability on the answer is yes:
            "youden" (highest sensitivity + specificity - 1), "accuracy" (most right answers) or
            "min_sensitivity_ppv" (highest of the lower of sensitivity and positive predictive
            value: event 1 of the PhysioNet/CinC challenge 2012).
        label_smoothing: share of each answer that the loss spreads evenly over all answers.
        focus: gamma of the focal loss: how little answers count that are learnt already; 0 turns it off.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["binary"]
    label: Name
    class_weights: bool
    threshold: ThresholdRule
    label_smoothing: Smoothing = 0.0
    focus: Focus = 0.0

    @property
    def labels(self) -> tuple[str, ...]:
        """The questions of the label file that training needs."""
        return (self.label,)


class MulticlassConfig(BaseModel):
    """One question with one answer out of several.

    Attributes:
        label: the question, as in the label file.
        classes: the answers, in the order of their integers 0, 1, ...
        class_weights: weigh classes so that all count alike in the loss.
        label_smoothing, focus: as in `BinaryConfig`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["multiclass"]
    label: Name
    classes: Annotated[tuple[Name, ...], Field(min_length=2), AfterValidator(_distinct)]
    class_weights: bool
    label_smoothing: Smoothing = 0.0
    focus: Focus = 0.0

    @property
    def labels(self) -> tuple[str, ...]:
        """The questions of the label file that training needs."""
        return (self.label,)


class MultilabelConfig(BaseModel):
    """Several yes-or-no questions about one input, any of which may be unanswered.

    Attributes:
        labels: the questions, as in the label file.
        class_weights, threshold, label_smoothing, focus: as in `BinaryConfig`, for each question.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["multilabel"]
    labels: Annotated[tuple[Name, ...], Field(min_length=1), AfterValidator(_distinct)]
    class_weights: bool
    threshold: ThresholdRule
    label_smoothing: Smoothing = 0.0
    focus: Focus = 0.0


class OrdinalConfig(BaseModel):
    """One question whose answers have an order.

    Attributes:
        label: the question, as in the label file.
        classes: the answers, lowest first, in the order of their integers 0, 1, ...
        class_weights: weigh classes so that all count alike in the loss.
        bounds: for a label that is a number: the value from which each class but the first
            begins. `bounds = [3, 7, 14]` makes days into the classes below 3, from 3 to below 7,
            from 7 to below 14, and 14 or more.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["ordinal"]
    label: Name
    classes: Annotated[tuple[Name, ...], Field(min_length=2), AfterValidator(_distinct)]
    class_weights: bool
    bounds: tuple[FiniteFloat, ...] | None = None

    @model_validator(mode="after")
    def _one_bound_between_classes(self) -> Self:
        if self.bounds is None:
            return self
        if len(self.bounds) != len(self.classes) - 1:
            raise ValueError(f"{len(self.classes)} classes have {len(self.classes) - 1} bounds, not {len(self.bounds)}")
        if any(low >= high for low, high in zip(self.bounds, self.bounds[1:], strict=False)):
            raise ValueError("each bound must be above the one before")
        return self

    @property
    def labels(self) -> tuple[str, ...]:
        """The questions of the label file that training needs."""
        return (self.label,)


class RegressionConfig(BaseModel):
    """One or more numbers asked about one input, any of which may be unknown.

    Attributes:
        labels: the numbers, as in the label file.
        loss: what the network learns of each number, on the scale of its standard deviation in
            the training split: "squared" its mean (lowest RMSE), "absolute" its median (lowest
            MAE), "huber" its mean with errors beyond one standard deviation counted as absolute
            ones, for numbers with gross errors among them.
        interval: the share of answers that prediction intervals are to cover.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["regression"]
    labels: Annotated[tuple[Name, ...], Field(min_length=1), AfterValidator(_distinct)]
    loss: RegressionLoss
    interval: Annotated[float, Field(gt=0.0, lt=1.0)]


TaskConfig = Annotated[
    BinaryConfig | MulticlassConfig | MultilabelConfig | OrdinalConfig | RegressionConfig, Field(discriminator="kind")
]
