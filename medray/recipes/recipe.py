"""What every recipe has: a job, a name, a lake, and the machine's share."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from medray.errors import StorageError
from medray.storage.uri import normalise


class Section(BaseModel):
    """A table of a recipe: unknown keys are mistakes, values never change."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _normalised(uri: str) -> str:
    try:
        return normalise(uri)
    except StorageError as error:
        raise ValueError(f"{error.found}; allowed: {error.allowed}") from error


Uri = Annotated[str, StringConstraints(min_length=1), AfterValidator(_normalised)]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]


class Compute(Section):
    """The machine's share. None of it changes a result.

    Attributes:
        cpus: CPUs of a local session. A cluster has its own; one that grows on demand is asked for so many
            before the work begins.
        gpus: GPUs that training and scoring wait for; without it they take what there is at that moment.
        actors: scoring actors; one per GPU, or one per CPU but one, when absent.
    """

    cpus: int | None = Field(default=None, ge=1)
    gpus: int | None = Field(default=None, ge=1)
    actors: int | None = Field(default=None, ge=1)


class Chunks(Section):
    """The size of one unit of work. Results do not depend on who does it.

    Attributes:
        megabytes: input bytes of a chunk.
        objects: inputs of a chunk at most.
    """

    megabytes: float = Field(default=96, gt=0, le=1024)
    objects: int = Field(default=2000, ge=1)


class Recipe(Section):
    """One complete run of one job."""

    job: str
    name: Name
    lake: Uri
    compute: Compute = Compute()

    def mistakes(self) -> list[str]:
        """What is wrong though each key by itself is right; told with the other mistakes of a recipe."""
        return []
