"""`[gate]` of a night: how far tonight may be from what was seen before."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from medray.recipes.recipe import Section

Share = Annotated[float, Field(gt=0.0, le=1.0)]


class Gate(Section):
    """Beyond one of these a night is held, where chance does not explain it (p below 0.001 over all
    comparisons of a check).

    Attributes:
        nights: how many nights back are looked at.
        min_inputs: subjects of a site, a scanner or a whole night, below which drift is not judged.
        volume: lowest and highest share of the inputs that the same weekdays have had.
        excess: how much the shares of quarantined and abstained inputs may rise (0.1: from 2% to 12%).
        psi, ks: population stability index and Kolmogorov-Smirnov distance of scores and inputs.
        model_days: days since the model was promoted (trained, where the recipe names a version).
    """

    nights: int = Field(default=56, ge=1, le=400)
    min_inputs: int = Field(default=30, ge=5)
    volume: tuple[Annotated[float, Field(ge=0.0, lt=1.0)], Annotated[float, Field(gt=1.0)]] = (0.33, 3.0)
    excess: Share = 0.1
    psi: Annotated[float, Field(gt=0.0)] = 0.25
    ks: Share = 0.25
    model_days: int = Field(default=365, ge=1)
