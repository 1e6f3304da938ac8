"""What `[family]` of a recipe may be: the configs of all families, told apart by `name`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from medray.families.ehr.config import EhrConfig
from medray.families.image.config import ImageConfig
from medray.families.tabular.config import TabularConfig

FamilyConfig = Annotated[ImageConfig | EhrConfig | TabularConfig, Field(discriminator="name")]
OF_RECORDS = ("ehr", "tabular")  # they read events, asked about by a problem


def codes_by_name(family: ImageConfig | EhrConfig | TabularConfig) -> tuple[str, ...]:
    """The codes that a recipe's `[family]` names one by one; none where a vocabulary is learnt."""
    if not isinstance(family, TabularConfig):
        return ()
    return (*(code for group in family.columns for code in group.codes), *family.categories)
