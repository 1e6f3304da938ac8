"""From a pseudonym back to the original, for who holds the key or may read the linkage table."""

from __future__ import annotations

from medray.drivers.pseudonyms import pseudonyms_of
from medray.errors import RecipeError
from medray.recipes.ingest import Archive
from medray.recipes.ingest_ehr import RecordsRecipe
from medray.recipes.recipe import Recipe
from medray.storage.failures import told
from medray.storage.linkage import originals
from medray.storage.store import LAKE


def locate(recipe: Recipe, key: str) -> list[tuple[str, str]]:
    """(kind, original) of a key. A `source_key` is found by listing the archive again, anything
    else in the linkage table.

    Raises:
        RecipeError: the recipe names no archive, or the key is unknown.
    """
    if not isinstance(recipe, Archive | RecordsRecipe):
        raise RecipeError(
            f"recipe {recipe.name}",
            f"job = {recipe.job!r}",
            "an ingest_dicom, ingest_ehr or nightly recipe",
            "name the archive's recipe",
        )
    pseudonyms = pseudonyms_of(recipe.deidentify)
    found: list[tuple[str, str]] = []
    with told(f"archive {recipe.source.uri}"):
        found += [
            ("source", item.uri) for item in LAKE.walk(recipe.source.uri) if pseudonyms.source_key(item.uri) == key
        ]
    if not found and recipe.linkage is not None:
        found = originals(recipe.linkage.uri, key)
    if not found:
        allowed = "a source_key of the archive" + (
            ", or a key of the linkage table" if recipe.linkage else " (the recipe names no linkage table)"
        )
        raise RecipeError(f"key {key}", "nothing that it stands for", allowed, "check the key and the recipe")
    return found
