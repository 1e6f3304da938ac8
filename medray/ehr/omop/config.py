"""What a recipe says about an OMOP CDM 5.x archive (`[source]`, kind "omop")."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints


class OmopConfig(BaseModel):
    """How the tables of the archive are read; which they are, the standard says.

    Attributes:
        codes: what names a record. "concept": the standard concept, `OMOP//{concept_id}`, the same
            at every site, and the site's own text where there is none. "source": always the site's
            own text, such as `CONDITION//{condition_source_value}`.
        subject: column of `person` that holds the identifier which images and records share.
        keep_text: `value_as_string` of observations becomes the text of the event, instead of the
            value's concept. Such text may identify a patient.
        delimiter: between cells of text files; a comma when absent (a tab for names with `.tsv`).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["omop"]
    codes: Literal["concept", "source"]
    subject: Literal["person_id", "person_source_value"]
    keep_text: bool = False
    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=1)] | None = None
