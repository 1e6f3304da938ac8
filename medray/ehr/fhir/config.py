"""What an ingest recipe says about a FHIR R4 bulk export (`[source]`); a laptop can check it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

MIB = 2**20


class FhirConfig(BaseModel):
    """Who the subject is, which codes are preferred, and how long a line may be.

    Attributes:
        subject: `id`: the id of the Patient resource is the identifier that images and records
            share. Else the `system` of the identifier in `Patient.identifier` that is, such as the
            URI of the hospital's medical record numbers.
        systems: code systems, short names (`LOINC`) or URIs, the preferred first. A concept with
            none of them, and every concept when this is empty, gives its first coding whose system
            has a short name, and else its first coding.
        keep_text: valueString, and the text of value concepts without a code, become `text_value`.
            Such text may identify a patient.
        line_bytes: longest line that is read; a longer one is malformed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["fhir"]
    subject: str = Field(pattern=r"^(id|[A-Za-z][A-Za-z0-9+.-]*:\S+)$")
    systems: tuple[str, ...] = ()
    keep_text: bool = False
    line_bytes: int = Field(default=16 * MIB, gt=0, le=256 * MIB)
