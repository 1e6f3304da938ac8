"""What `[family]` of a recipe may say for health records. Reads without torch."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Architecture = Literal["gru_d", "transformer"]
Share = Annotated[float, Field(ge=0.0, lt=1.0)]

MOST_CELLS = 262_144  # codes x steps of the recurrent grid: 1 MiB an example and tensor

_BELONGS = {"step_hours": "gru_d", "layers": "transformer", "heads": "transformer"}


class EhrConfig(BaseModel):
    """A model that reads the events before a prediction time.

    Attributes:
        max_events: events of a window that are kept: static facts, then the newest.
        min_events: windows with fewer events are out of range.
        vocabulary: codes that the network knows, at most: those of the most training examples.
        min_count: training examples that must hold a code before the network knows it.
        hours: length of the observation window; older events count as this old.
        architecture: "gru_d" (recurrent, on a grid) or "transformer" (over single events).
        width: features of the hidden state.
        step_hours: one step of the recurrent grid; `gru_d` only.
        layers, heads: of the encoder; `transformer` only.
        summary_codes: beside each network of that architecture stand two that read plain summaries
            (mean, extremes, first, last, spread, trend, count) of so many of the most frequent
            codes, over the window and its newer parts: one dense, one additive; 0 leaves both out.
        members: how many of each the model holds. All learn apart, each from its share of a batch;
            their logits are averaged when the model answers.
        dropout: share of features dropped by the dense network; half of it by those of the
            architecture.
        event_dropout: share of the events of a training example that is dropped, uniform from 0.
        code_dropout: share of codes of which a training example loses all events.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    # None of them changes what is read.
    searchable: ClassVar[tuple[str, ...]] = (
        "vocabulary", "min_count", "architecture", "width", "step_hours", "layers", "heads", "summary_codes", "members",
        "dropout", "event_dropout", "code_dropout",
    )  # fmt: skip

    name: Literal["ehr"]
    max_events: Annotated[int, Field(ge=1, le=16_384)]
    min_events: Annotated[int, Field(ge=0)]
    vocabulary: Annotated[int, Field(ge=1, le=65_536)]
    min_count: Annotated[int, Field(ge=1)]
    hours: Annotated[float, Field(gt=0.0)]
    architecture: Architecture
    width: Annotated[int, Field(ge=4, le=1024)]
    step_hours: Annotated[float, Field(gt=0.0)] | None = None
    layers: Annotated[int, Field(ge=1, le=24)] | None = None
    heads: Annotated[int, Field(ge=1, le=16)] | None = None
    summary_codes: Annotated[int, Field(ge=0, le=1024)]
    members: Annotated[int, Field(ge=1, le=32)]
    dropout: Share
    event_dropout: Share
    code_dropout: Share = 0.0

    @model_validator(mode="after")
    def _network_fits(self) -> Self:
        for field, architecture in _BELONGS.items():
            if (getattr(self, field) is None) == (self.architecture == architecture):
                raise ValueError(f"'{field}' belongs to architecture '{architecture}', and only to it")
        if self.heads is not None and self.width % self.heads:
            raise ValueError(f"width {self.width} does not divide among {self.heads} heads")
        if self.step_hours is not None and self.vocabulary * self.steps > MOST_CELLS:
            raise ValueError(f"vocabulary x steps is {self.vocabulary * self.steps}; at most {MOST_CELLS} fit")
        return self

    @property
    def steps(self) -> int:
        """Steps of the recurrent grid; 0 without one."""
        return -int(-self.hours // self.step_hours) if self.step_hours is not None else 0
