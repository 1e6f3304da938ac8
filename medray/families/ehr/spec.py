"""The family of health records, assembled."""

from __future__ import annotations

from medray.contracts import Family
from medray.families.ehr.accepts import accepts
from medray.families.ehr.config import EhrConfig
from medray.families.ehr.prepare import PREPARE_COLUMNS, layout, prepare, prepare_key
from medray.families.ehr.survey import merge, summarise, survey
from medray.families.ehr.traits import traits
from medray.families.later import Later

FAMILY = Family(
    name="ehr",
    Config=EhrConfig,
    reads="events",
    accepts=accepts,
    prepare_columns=PREPARE_COLUMNS,
    layout=layout,
    prepare_key=prepare_key,
    prepare=prepare,
    survey=survey,
    merge=merge,
    summarise=summarise,
    collate=Later("medray.families.ehr.collate", "collate"),
    augment=Later("medray.families.ehr.augment", "augment"),
    build=Later("medray.families.ehr.network", "build"),
    simple=Later("medray.families.ehr.simple", "simple"),
    traits=traits,
    references=("missing", "median"),
    reference=Later("medray.families.ehr.reference", "reference"),
    parts=Later("medray.families.ehr.parts", "parts"),
)
