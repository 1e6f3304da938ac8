"""What a recipe says about the de-identification of images; a laptop can check it."""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

Option = Literal[
    "retain_longitudinal_modified_dates",
    "retain_patient_characteristics",
    "retain_device",
    "clean_descriptors",
    "retain_safe_private",
]


class Clearance(BaseModel):
    """A rule that clears images of the risk of burned-in text; every field that is given must match.

    Attributes:
        reason: why such images carry no identity; it is stored with the run.
        modality: Modality; "" where the header has none.
        manufacturer: class of the manufacturer as in the column `manufacturer`, or OTHER.
        sop_class: SOPClassUID.
        image_type: words that ImageType holds, in any order.
        burned_in_annotation: "YES" clears images that say themselves that text is burned in, too;
            no other rule does.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: str = Field(min_length=1)
    modality: str | None = None
    manufacturer: str | None = None
    sop_class: str | None = None
    image_type: tuple[str, ...] | None = Field(default=None, min_length=1)
    burned_in_annotation: Literal["YES"] | None = None

    @model_validator(mode="after")
    def _says_which(self) -> Self:
        if all(given is None for given in (self.modality, self.manufacturer, self.sop_class, self.image_type)):
            raise ValueError("one of modality, manufacturer, sop_class and image_type is required")
        return self


def _once(options: tuple[Option, ...]) -> tuple[Option, ...]:
    if len(set(options)) < len(options):
        raise ValueError("an option is named twice")
    return tuple(sorted(options))


Options = Annotated[tuple[Option, ...], AfterValidator(_once)]


class Policy(BaseModel):
    """How images lose their identity, beside the Basic Profile of PS3.15 annex E.

    Attributes:
        options: options of the profile, in alphabetical order; none is the strictest.
        cleared: which images may be kept although their kind can show text.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    options: Options = ()
    cleared: tuple[Clearance, ...] = ()

    @property
    def rules_hash(self) -> str:
        """16 hex digits for what is cleared, whatever the reasons given."""
        rules = sorted(rule.model_dump_json(exclude={"reason"}) for rule in self.cleared)
        return hashlib.sha256("\n".join(rules).encode()).hexdigest()[:16]


STRICTEST = Policy()
