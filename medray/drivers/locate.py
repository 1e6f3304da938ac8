"""From a pseudonym back to the original, for who holds the key or may read the linkage table."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from medray.contracts import SourceObject
from medray.drivers.images.feed import Feed, Item
from medray.drivers.images.objects import object_pages, store_of
from medray.drivers.listing import source_objects
from medray.drivers.pseudonyms import pseudonyms_of
from medray.errors import RecipeError, Unusable
from medray.privacy.pseudonyms import Pseudonyms
from medray.recipes.ingest import Archive, DicomArchive
from medray.recipes.ingest_ehr import RecordsRecipe
from medray.recipes.recipe import Recipe
from medray.storage.archive_kind import archive_name
from medray.storage.failures import told
from medray.storage.linkage import originals
from medray.storage.store import LAKE


def locate(recipe: Recipe, key: str) -> list[tuple[str, str]]:
    """(kind, original) of a key. A `source_key` is found by listing the archive again, anything
    else in the linkage table; a member of a zip or tar by listing the members of each.

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
    archives: list[SourceObject] = []
    found = list(_listed(recipe, pseudonyms, key, archives))
    if not found and recipe.linkage is not None:
        found = originals(recipe.linkage.uri, key)
    if not found and isinstance(recipe, Archive):
        found = list(_members(recipe.source, pseudonyms, key, archives))
    if not found:
        allowed = "a source_key of the archive" + (
            ", or a key of the linkage table" if recipe.linkage else " (the recipe names no linkage table)"
        )
        raise RecipeError(f"key {key}", "nothing that it stands for", allowed, "check the key and the recipe")
    return found


def _listed(
    recipe: Archive | RecordsRecipe, pseudonyms: Pseudonyms, key: str, archives: list[SourceObject]
) -> Iterator[tuple[str, str]]:
    """The object of that key; on the way, the archives are noted."""
    images = isinstance(recipe, Archive)
    with told(f"archive {recipe.source.uri}"):
        pages = object_pages(recipe.source, LAKE) if isinstance(recipe, Archive) else LAKE.pages(recipe.source.uri)
        for item in chain.from_iterable(map(source_objects, pages)):
            if pseudonyms.source_key(item.uri) == key:
                yield "source", item.uri
            elif images and archive_name(item.uri):
                archives.append(item)


def _members(
    source: DicomArchive, pseudonyms: Pseudonyms, key: str, archives: list[SourceObject]
) -> Iterator[tuple[str, str]]:
    """The member of that key. What cannot be read of an archive has no keys."""
    if source.archives:
        feed = Feed(store_of(source, LAKE), source, _unread, (), _ignored)
        for item in feed.objects([Item(archive, 0, 1) for archive in archives]):
            if pseudonyms.source_key(item.uri) == key:
                yield "source", item.uri


def _unread(_: SourceObject) -> bytes:
    return b""


def _ignored(_: SourceObject, __: Unusable) -> None:
    return None
