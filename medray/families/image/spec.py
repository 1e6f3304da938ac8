"""The image family, assembled."""

from __future__ import annotations

from medray.contracts import Family
from medray.families.image.accepts import accepts
from medray.families.image.config import ImageConfig
from medray.families.image.prepare import PREPARE_COLUMNS, layout, prepare, prepare_key
from medray.families.image.simple import simple
from medray.families.image.survey import merge, summarise, survey
from medray.families.image.traits import traits
from medray.families.later import Later

FAMILY = Family(
    name="image",
    Config=ImageConfig,
    reads="images",
    accepts=accepts,
    prepare_columns=PREPARE_COLUMNS,
    layout=layout,
    prepare_key=prepare_key,
    prepare=prepare,
    survey=survey,
    merge=merge,
    summarise=summarise,
    collate=Later("medray.families.image.collate", "collate"),
    augment=Later("medray.families.image.augment", "augment"),
    build=Later("medray.families.image.network", "build"),
    simple=simple,
    traits=traits,
    references=("black", "mean"),
    reference=Later("medray.families.image.reference", "reference"),
    parts=None,
)
