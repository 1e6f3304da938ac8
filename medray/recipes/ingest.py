"""`ingest_dicom`: an archive becomes tables."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from medray.dicom.config import DicomConfig
from medray.dicom.deidentify.policy import Clearance, Options, Policy
from medray.recipes.recipe import Chunks, Recipe, Section, Uri


class DicomArchive(DicomConfig):
    """Where the archive lies and how its objects are read."""

    kind: Literal["dicom"]
    uri: Uri


class Deidentify(Section):
    """How identity is removed; it must be declared.

    Attributes:
        profile: "basic": identity is removed; keyed pseudonyms and shifted dates stand for it.
            "none": UIDs and dates stay and the lake is marked identified.
        key: reference to the secret, `env:NAME` or `file:PATH`; readable where workers run.
        reason: why a lake may be identified.
    """

    profile: Literal["basic", "none"]
    key: str = Field(pattern=r"^(env|file):.+$")
    reason: str | None = None

    @model_validator(mode="after")
    def _reason_given(self) -> Self:
        if (self.profile == "none") != bool(self.reason):
            raise ValueError('reason is required with profile = "none", and only there')
        return self


class DeidentifyImages(Deidentify):
    """How images lose their identity: PS3.15 annex E, the Basic Profile with the options named here.

    Attributes:
        options: what is retained or cleaned instead of removed; none is the strictest.
        cleared: `[[deidentify.cleared]]`, images that are kept although their kind can show text. What an
            earlier run has quarantined is not looked at again.
    """

    options: Options = ()
    cleared: tuple[Clearance, ...] = ()

    @model_validator(mode="after")
    def _nothing_to_retain(self) -> Self:
        if self.profile == "none" and (self.options or self.cleared):
            raise ValueError('options and cleared belong to profile = "basic": with "none" everything is kept')
        return self

    @property
    def policy(self) -> Policy:
        """As the rooms that read images take it."""
        return Policy(options=self.options, cleared=self.cleared)


class LabelFile(Section):
    """Known answers in a CSV or Parquet file.

    Attributes:
        uri: the file.
        key: what `key_column` holds. Paths are relative to the archive.
        issuer: IssuerOfPatientID of the identifiers, with key = "PatientID".
        columns: column -> kind of value; a column's name is the label's name.
        labelled_at: column with the time of the answer; the run's date when absent.
        missing: texts that mean "no answer", besides an empty cell.
    """

    uri: Uri
    key: Literal["path", "SOPInstanceUID", "StudyInstanceUID", "PatientID"]
    key_column: str
    issuer: str = ""
    columns: dict[str, Literal["boolean", "integer", "float", "categorical"]] = Field(min_length=1)
    labelled_at: str | None = None
    missing: tuple[str, ...] = ()


class Linkage(Section):
    """The table that leads back to the patient; its credentials are `MEDRAY_LINKAGE_AWS_*`."""

    uri: Uri


class Archive(Recipe):
    """The sections that `ingest_dicom` and `nightly` share."""

    source: DicomArchive
    deidentify: DeidentifyImages
    labels: LabelFile | None = None
    linkage: Linkage | None = None
    on_change: Literal["conflict", "supersede"] = "conflict"
    chunks: Chunks = Chunks()


class IngestRecipe(Archive):
    job: Literal["ingest_dicom"]
