"""`ingest_ehr`: an archive of health records becomes events."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from medray.ehr.fhir.config import FhirConfig
from medray.ehr.meds.config import MedsConfig
from medray.ehr.omop.config import OmopConfig
from medray.ehr.tables.config import TablesConfig
from medray.recipes.ingest import Deidentify, LabelFile, Linkage
from medray.recipes.recipe import Chunks, Recipe, Uri


class FhirArchive(FhirConfig):
    """A FHIR R4 bulk export: where it lies and how its resources are read."""

    uri: Uri


class OmopArchive(OmopConfig):
    """Tables of the OMOP common data model: where they lie and how they are read."""

    uri: Uri


class MedsArchive(MedsConfig):
    """A MEDS dataset: where it lies and how it is read."""

    uri: Uri


class TablesArchive(TablesConfig):
    """CSV or Parquet tables: where they lie and how their columns are mapped."""

    uri: Uri


RecordArchive = Annotated[FhirArchive | OmopArchive | MedsArchive | TablesArchive, Field(discriminator="kind")]


def _naive(time: datetime) -> datetime:
    return time if time.tzinfo is None else time.astimezone(UTC).replace(tzinfo=None)


class RecordsRecipe(Recipe):
    """The sections that `ingest_ehr` and `nightly` on records share.

    Attributes:
        source: what it is, where it lies, how it is read.
        issuer: who gave the subjects' identifiers. Images of the same issuer (DICOM:
            IssuerOfPatientID) and identifier are the same patient's.
        crosswalk: CSV or Parquet file with the columns `from` and `to`: identifier in the records ->
            identifier that images share, compared without case and blanks around them. A subject that
            it lacks is quarantined.
        as_of: records later than this original time are quarantined.
        encounters: "required": a record whose encounter no record defines is quarantined; "any":
            it is kept.
        on_change: what becomes of a record that comes again with other content, unless that is older
            than what stands.
        chunks: the size of one unit of work: of mapping, and of deciding what is new.
    """

    source: RecordArchive
    issuer: str
    encounters: Literal["required", "any"]
    deidentify: Deidentify
    crosswalk: Uri | None = None
    as_of: Annotated[datetime, AfterValidator(_naive)] | None = None
    labels: LabelFile | None = None
    linkage: Linkage | None = None
    on_change: Literal["supersede", "conflict"] = "supersede"
    chunks: Chunks = Chunks()


class IngestEhrRecipe(RecordsRecipe):
    job: Literal["ingest_ehr"]
