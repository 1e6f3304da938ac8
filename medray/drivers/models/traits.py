"""Sex, age, site and scanner of the inputs of an evaluation, and what else its recipe asks for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow.compute as pc

from medray.drivers.input import DataFile, Input, InputKey
from medray.drivers.inputs.reading import Reading
from medray.drivers.inputs.record_traits import record_traits
from medray.errors import RecipeError
from medray.planning.traits import Trait, age_bands, keyed, missing, named
from medray.recipes.evaluate import EvaluateRecipe
from medray.schema.images import IMAGES
from medray.storage.delta import scan_file, table_uri
from medray.storage.failures import told
from medray.storage.run_row import run_row
from medray.storage.snapshot import Snapshot, newest
from medray.storage.uri import join

_COLUMNS = ("SOPInstanceUID", "input_version", "PatientSex", "age_years", "site_key", "scanner_key")
_RETAINED = "retain_patient_characteristics"
_SEXES = {"F": "female", "M": "male", "O": "other"}  # PS3.3 C.7.1.1, Patient's Sex
_OF_RECORDS = ("sex", "age", "other")


def traits(
    recipe: EvaluateRecipe, reading: Reading, state: Snapshot, files: Sequence[DataFile], inputs: Sequence[Input]
) -> dict[str, Trait]:
    """The traits of some inputs, which lie in some data files, by name.

    Raises:
        RecipeError: `[subgroups]` names events for a model that reads images.
    """
    if reading.problem is not None:
        return record_traits(recipe.subgroups, state, inputs)
    given = sorted(recipe.subgroups.model_fields_set & set(_OF_RECORDS))
    if given:
        raise RecipeError(
            f"recipe {recipe.name}, [subgroups]",
            f"{', '.join(given)} of events, for a model that reads images",
            "age_bands, min_examples and min_each_class: images have sex, age, site and scanner in their headers",
            f"remove {', '.join(given)}",
        )
    rows = _headers(state, files)
    columns = {name: [rows[item.key][name] for item in inputs] for name in _COLUMNS[2:]}
    withheld = _withheld(state)
    found = {
        "sex": named(columns["PatientSex"], _SEXES, "Sex"),
        "age": age_bands(columns["age_years"], recipe.subgroups.age_bands, "Age, years"),
        "site_key": keyed(columns["site_key"], "Site (pseudonym)"),
        "scanner_key": keyed(columns["scanner_key"], "Scanner (pseudonym)"),
    }
    return {
        name: trait if any(trait.groups) else missing(trait.title, len(inputs), _why(name, withheld))
        for name, trait in found.items()
    }


def _headers(state: Snapshot, files: Sequence[DataFile]) -> dict[InputKey, dict[str, Any]]:
    found: dict[InputKey, dict[str, Any]] = {}
    for file in files:
        uri = join(table_uri(state.lake, IMAGES.name), file.path)
        with told(state.lake):
            for batch in scan_file(state.store, uri, IMAGES, _COLUMNS, pc.field("part_index") == 0):
                found.update(((row["SOPInstanceUID"], row["input_version"]), row) for row in batch.to_pylist())
    return found


def _withheld(state: Snapshot) -> bool:
    """Whether de-identification has taken sex and age out of the headers: the newest ingest tells."""
    for run in newest(state.runs).to_pylist():
        if run["job"] in ("ingest_dicom", "nightly"):
            row = run_row(state, run["run_id"])
            declared = (row or {}).get("recipe", {}).get("deidentify")
            if declared is not None:
                return declared["profile"] == "basic" and _RETAINED not in declared.get("options", ())
    return False


def _why(name: str, withheld: bool) -> str:
    if name in ("sex", "age"):
        return f"not retained by de-identification ({_RETAINED})" if withheld else "no header holds it"
    return f"no header names {'an institution' if name == 'site_key' else 'a device'}"
