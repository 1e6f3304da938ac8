"""`predict`, `evaluate`, `nightly`: a model meets inputs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Literal, Self

from pydantic import model_validator

from medray.recipes.gate import Gate
from medray.recipes.ingest import Archive, IngestRecipe
from medray.recipes.ingest_ehr import IngestEhrRecipe, RecordsRecipe
from medray.recipes.recipe import Name, Recipe, Section


class ModelChoice(Section):
    """A model of the lake: a version's number, or the one that is in production."""

    name: Name
    version: int | Literal["production"] = "production"


class Select(Section):
    """Which inputs are asked for; without it, all of the lake.

    Attributes:
        modalities: values of Modality, of images.
        since, until: first and last run date of the runs that brought the inputs: a back-fill of these
            nights.
    """

    modalities: tuple[str, ...] | None = None
    since: date | None = None
    until: date | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.since and self.until and self.since > self.until:
            raise ValueError(f"since {self.since} is after until {self.until}")
        return self


class PredictRecipe(Recipe):
    job: Literal["predict"]
    model: ModelChoice
    select: Select = Select()


class Night(Recipe):
    """What a night does after its ingest.

    Attributes:
        model: the one that scores.
        select: the images that are asked for; a model that reads records asks by its problem.
        gate: how far the night may be from what was seen before.
    """

    job: Literal["nightly"]
    model: ModelChoice
    select: Select = Select()
    gate: Gate = Gate()

    def predict(self, version: int) -> PredictRecipe:
        """The night's last link, with the version that the night has chosen."""
        model = ModelChoice(name=self.model.name, version=version)
        return PredictRecipe(
            job="predict", name=self.name, lake=self.lake, compute=self.compute, model=model, select=self.select
        )


class ImagesNight(Night, Archive):
    """A night on an archive of images."""

    def ingest(self) -> IngestRecipe:
        """The night's first link."""
        return IngestRecipe(job="ingest_dicom", **_shared(self, Archive))


class RecordsNight(Night, RecordsRecipe):
    """A night on an archive of health records."""

    def ingest(self) -> IngestEhrRecipe:
        """The night's first link."""
        return IngestEhrRecipe(job="ingest_ehr", **_shared(self, RecordsRecipe))


NightlyRecipe = ImagesNight | RecordsNight


def night_of(document: Mapping[str, Any]) -> type[ImagesNight] | type[RecordsNight]:
    """The kind of night that a document means, by its archive."""
    source = document.get("source")
    images = isinstance(source, Mapping) and source.get("kind") == "dicom"
    return ImagesNight if images else RecordsNight


def _shared(night: Night, archive: type[Recipe]) -> dict[str, Any]:
    return {name: getattr(night, name) for name in archive.model_fields if name != "job"}
