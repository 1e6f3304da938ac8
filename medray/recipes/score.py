"""`predict`, `evaluate`, `nightly`: a model meets inputs."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from medray.recipes.ingest import Archive, IngestRecipe
from medray.recipes.recipe import Name, Recipe, Section


class ModelChoice(Section):
    """A model of the lake: a version's number, or the one that is in production."""

    name: Name
    version: int | Literal["production"] = "production"


class Select(Section):
    """Which inputs are asked for; without it, every image of the lake.

    Attributes:
        modalities: values of Modality.
    """

    modalities: tuple[str, ...] | None = None


class PredictRecipe(Recipe):
    job: Literal["predict"]
    model: ModelChoice
    select: Select = Select()


class EvaluateRecipe(Recipe):
    """Attributes:
    split: the subjects to evaluate on; the training split is refused.
    resamples: bootstrap resamples by subject.
    """

    job: Literal["evaluate"]
    model: ModelChoice
    split: Literal["held_out", "tuning"]
    seed: int
    resamples: int = Field(default=1000, ge=100)


class NightlyRecipe(Archive):
    job: Literal["nightly"]
    model: ModelChoice
    select: Select = Select()

    def ingest(self) -> IngestRecipe:
        """The night's first link."""
        shared = {name: getattr(self, name) for name in Archive.model_fields if name != "job"}
        return IngestRecipe(job="ingest_dicom", **shared)

    def predict(self) -> PredictRecipe:
        """The night's last link."""
        return PredictRecipe(
            job="predict", name=self.name, lake=self.lake, compute=self.compute, model=self.model, select=self.select
        )
