"""What `[task]` of a recipe may say. Reads without torch, so that a laptop can check a recipe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

CLASS_SEPARATOR = "//"  # multiclass: one question per class, named label//class
ThresholdRule = Literal["youden", "accuracy"]


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


class BinaryConfig(BaseModel):
    """One yes-or-no question.

    Attributes:
        label: the question, as in the label file.
        class_weights: weigh yes and no so that both count alike in the loss.
        threshold: rule on the tuning split from which probability on the answer is yes:
            "youden" (highest sensitivity + specificity - 1) or "accuracy" (most right answers).
        label_smoothing: share of each answer that the loss spreads evenly over all answers.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["binary"]
    label: Name
    class_weights: bool
    threshold: ThresholdRule
    label_smoothing: Smoothing = 0.0

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
        label_smoothing: as in `BinaryConfig`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["multiclass"]
    label: Name
    classes: Annotated[tuple[Name, ...], Field(min_length=2), AfterValidator(_distinct)]
    class_weights: bool
    label_smoothing: Smoothing = 0.0

    @property
    def labels(self) -> tuple[str, ...]:
        """The questions of the label file that training needs."""
        return (self.label,)


class MultilabelConfig(BaseModel):
    """Several yes-or-no questions about one input, any of which may be unanswered.

    Attributes:
        labels: the questions, as in the label file.
        class_weights, threshold, label_smoothing: as in `BinaryConfig`, for each question.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["multilabel"]
    labels: Annotated[tuple[Name, ...], Field(min_length=1), AfterValidator(_distinct)]
    class_weights: bool
    threshold: ThresholdRule
    label_smoothing: Smoothing = 0.0


TaskConfig = Annotated[BinaryConfig | MulticlassConfig | MultilabelConfig, Field(discriminator="kind")]
