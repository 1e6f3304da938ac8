"""`ingest_dicom`: an archive becomes tables."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from medray.dicom.config import DicomConfig
from medray.dicom.deidentify.policy import Clearance, Options, Policy
from medray.recipes.recipe import Chunks, Recipe, Section, Uri


class DicomArchive(DicomConfig):
    """Where the archive lies and how its objects are read.

    Attributes:
        list: a file that names the objects, in place of a listing of `uri`: CSV, Parquet or the
            manifest.json of an S3 Inventory.
        anonymous: requests are not signed: a public bucket. Its endpoint and region, where they are
            not the lake's, are `MEDRAY_ARCHIVE_AWS_ENDPOINT_URL` and `MEDRAY_ARCHIVE_AWS_REGION`.
        archives: whether zip and tar files are opened and their members are the objects.
        archive_members: most members of one archive.
        archive_ratio: how many times its own size an archive may inflate to, beyond the first GiB.
    """

    kind: Literal["dicom"]
    uri: Uri
    list: Uri | None = None
    anonymous: bool = False
    archives: bool = True
    archive_members: int = Field(default=250_000, gt=0)
    archive_ratio: int = Field(default=200, gt=0)

    @model_validator(mode="after")
    def _public_bucket(self) -> Self:
        if self.anonymous and not self.uri.startswith("s3://"):
            raise ValueError("anonymous = true is for s3://bucket/prefix")
        return self


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
        cleared: `[[deidentify.cleared]]`, images that are kept although their kind can show text. What other
            rules have quarantined is looked at again, but for members of archives.
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


class Volumes(Section):
    """Series become volumes: which, when, and what becomes of one with a defect.

    Attributes:
        modalities: values of Modality; other series are not looked at.
        min_slices: fewer slices in one place are no volume.
        settle_nights: a series is built once its newest slice was ingested by a run whose date lies
            so many days back; 0 builds it at once.
        several_acquisitions: slices of several acquisitions, echoes, times or image types stand in
            one place: each becomes a volume ("split"), the first one alone, or none.
        duplicate_positions: other slices stand where one stands already: the one with the lowest
            InstanceNumber is kept ("first"), or the volume is rejected.
        missing_slices: gaps of whole slices: filled by interpolation ("resample"), the parts between
            them become volumes ("split"), or rejected.
        uneven_spacing: distances that differ otherwise: interpolated onto a regular grid, or rejected.
        gantry_tilt: sheared upright by interpolation along rows and columns ("correct"), or rejected.
    """

    modalities: tuple[str, ...] = Field(min_length=1)
    min_slices: int = Field(ge=2)
    settle_nights: int = Field(ge=0)
    several_acquisitions: Literal["reject", "split", "first"]
    duplicate_positions: Literal["reject", "first"]
    missing_slices: Literal["reject", "resample", "split"]
    uneven_spacing: Literal["reject", "resample"]
    gantry_tilt: Literal["reject", "correct"]


class Linkage(Section):
    """The table that leads back to the patient; its credentials are `MEDRAY_LINKAGE_AWS_*`."""

    uri: Uri


class Archive(Recipe):
    """The sections that `ingest_dicom` and `nightly` share."""

    source: DicomArchive
    deidentify: DeidentifyImages
    volumes: Volumes | None = None
    labels: LabelFile | None = None
    linkage: Linkage | None = None
    on_change: Literal["conflict", "supersede"] = "conflict"
    chunks: Chunks = Chunks()


class IngestRecipe(Archive):
    job: Literal["ingest_dicom"]
