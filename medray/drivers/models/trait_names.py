"""What people call the traits of a model of records: codes in the place of their numbers."""

from __future__ import annotations

from collections.abc import Collection

import pyarrow as pa

from medray.drivers.inputs.windows import with_text
from medray.ops.code_id import CODE_TRAIT, code_id, code_trait
from medray.schema.events import EVENTS
from medray.storage.snapshot import Snapshot


def trait_names(traits: Collection[str], state: Snapshot) -> dict[str, str]:
    """The code that each trait is about, of those that are about one.

    Events are read only until every code is found; a model's traits are about the most frequent ones.
    """
    missing = {trait for trait in traits if trait.startswith(CODE_TRAIT)}
    found: dict[str, str] = {}
    if not missing:
        return found
    for batch in state.scan(EVENTS, ("code", "text_value", "numeric_value")):
        for code in with_text(pa.Table.from_batches([batch])).unique().to_pylist():
            trait = code_trait(code_id(code))
            if trait in missing:
                missing.remove(trait)
                found[trait] = code
        if not missing:
            break
    return found
