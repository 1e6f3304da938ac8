"""The tabular family, assembled."""

from __future__ import annotations

from medray.contracts import Family
from medray.families.later import Later
from medray.families.tabular.accepts import accepts
from medray.families.tabular.config import TabularConfig
from medray.families.tabular.parts import parts
from medray.families.tabular.prepare import layout, prepare, prepare_key
from medray.families.tabular.simple import simple
from medray.families.tabular.survey import merge, summarise, survey
from medray.families.tabular.traits import traits

FAMILY = Family(
    name="tabular",
    Config=TabularConfig,
    reads="events",
    accepts=accepts,
    prepare_columns=(),
    layout=layout,
    prepare_key=prepare_key,
    prepare=prepare,
    survey=survey,
    merge=merge,
    summarise=summarise,
    collate=Later("medray.families.tabular.collate", "collate"),
    augment=Later("medray.families.tabular.augment", "augment"),
    build=Later("medray.families.tabular.network", "build"),
    simple=simple,
    traits=traits,
    references=("missing", "mean"),
    reference=Later("medray.families.tabular.reference", "reference"),
    parts=parts,
)
