"""What a recipe says about a MEDS dataset (`[source]`, kind "meds")."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict


class MedsConfig(BaseModel):
    """A MEDS 0.4 dataset: its `data` folder of Parquet shards. There is nothing to choose."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["meds"]
