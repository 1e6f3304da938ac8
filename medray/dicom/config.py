"""What an ingest recipe says about a DICOM archive (`[source]`); a laptop can check it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

MIB = 2**20
GIB = 2**30


class DicomConfig(BaseModel):
    """Which identifier is the subject, and how large one object may be.

    Attributes:
        subject: `PatientID` (with IssuerOfPatientID), or `image` for a source without subjects:
            every SOP instance is then a subject of its own.
        object_bytes: largest object that is fetched.
        inflated_bytes: largest data set behind Deflated Explicit VR Little Endian.
        sequence_depth: deepest nesting of sequences.
        pixel_bytes: largest pixel volume of one instance, decoded.
        part_bytes: largest cell of frames; a larger instance continues in further rows.
        verify: share of the instances whose frames are decoded at ingest, so that what cannot be is
            quarantined then and not in `prepare`. Which ones follows from their bytes alone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    subject: Literal["PatientID", "image"]
    object_bytes: int = Field(default=2 * GIB, gt=0)
    inflated_bytes: int = Field(default=512 * MIB, gt=0)
    sequence_depth: int = Field(default=32, gt=0, le=100)
    pixel_bytes: int = Field(default=4 * GIB, gt=0)
    part_bytes: int = Field(default=GIB, gt=0, le=GIB)
    verify: float = Field(default=0, ge=0, le=1)
