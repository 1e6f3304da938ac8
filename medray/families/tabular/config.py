"""What `[family]` of a recipe may say for tables. Reads without torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

Take = Literal["last", "first", "mean", "min", "max", "slope", "count", "hours_since"]
Architecture = Literal["mlp", "ft_transformer"]
Share = Annotated[float, Field(ge=0.0, lt=1.0)]


def _distinct(names: Sequence[str]) -> Sequence[str]:
    if len(set(names)) < len(names):
        raise ValueError("each name may stand once")
    return names


Code = Annotated[str, Field(min_length=1)]
Codes = Annotated[tuple[Code, ...], Field(min_length=1), AfterValidator(_distinct)]
Takes = Annotated[tuple[Take, ...], Field(min_length=1), AfterValidator(_distinct)]


class Columns(BaseModel):
    """Numeric columns: one for each code and each way to make one number of its events.

    Attributes:
        codes: codes of events.
        take: "last", "first", "mean", "min", "max" of the values; "slope", their change per hour
            (least squares; timed events only); "count", events of the code, with or without a
            value; "hours_since" the last of them.
        hours: only events of so many hours before the prediction time count, and no static facts;
            without it all events of the window do.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    codes: Codes
    take: Takes
    hours: Annotated[float, Field(gt=0.0)] | None = None


class TabularConfig(BaseModel):
    """A model that reads a row of numbers and categories, made from the events of a window.

    Attributes:
        columns: the numeric columns, in groups.
        categories: the categorical columns: a code and the texts that its events may have. The
            latest event with one of them counts.
        min_events: windows with fewer events, of whatever code, are out of range.
        architecture: "mlp" or "ft_transformer", trained from scratch.
        width: features of a layer (of a token).
        layers: hidden layers (Transformer blocks).
        heads: of the attention; `ft_transformer` only.
        dropout: share of features dropped in each layer.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    searchable: ClassVar[tuple[str, ...]] = (
        "architecture",
        "width",
        "layers",
        "heads",
        "dropout",
    )  # none changes what is read

    name: Literal["tabular"]
    columns: tuple[Columns, ...] = ()
    categories: dict[Code, Codes] = Field(default_factory=dict)
    min_events: Annotated[int, Field(ge=0)]
    architecture: Architecture
    width: Annotated[int, Field(ge=1, le=4096)]
    layers: Annotated[int, Field(ge=1, le=64)]
    heads: Annotated[int, Field(ge=1, le=64)] | None = None
    dropout: Share

    @model_validator(mode="after")
    def _has_columns(self) -> Self:
        names = [(code, take, group.hours) for group in self.columns for code in group.codes for take in group.take]
        if not names and not self.categories:
            raise ValueError("a table needs 'columns' or 'categories'")
        twice = sorted({f"{take} of {code}" for code, take, hours in names if names.count((code, take, hours)) > 1})
        if twice:
            raise ValueError(f"columns stand twice: {', '.join(twice)}; each may stand once for the same 'hours'")
        return self

    @model_validator(mode="after")
    def _network_fits(self) -> Self:
        if (self.heads is None) == (self.architecture == "ft_transformer"):
            raise ValueError("'heads' belongs to architecture 'ft_transformer', and only to it")
        if self.heads and self.width % self.heads:
            raise ValueError(f"a width of {self.width} does not divide among {self.heads} heads")
        return self
