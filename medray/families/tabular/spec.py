"""The tabular family, assembled."""

from __future__ import annotations

from medray.contracts import Family
from medray.families.tabular.accepts import accepts
from medray.families.tabular.augment import augment
from medray.families.tabular.collate import collate
from medray.families.tabular.config import TabularConfig
from medray.families.tabular.network import build
from medray.families.tabular.prepare import layout, prepare, prepare_key
from medray.families.tabular.simple import simple
from medray.families.tabular.survey import merge, summarise, survey

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
    collate=collate,
    augment=augment,
    build=build,
    simple=simple,
)
