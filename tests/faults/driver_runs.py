"""A real ingest of images, its chunks in this process, as an act for failpoints."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import story
from without_ray import without_ray

from medray.drivers.images.ingest import ingest_archive
from medray.schema.images import IMAGES
from medray.schema.quarantine import QUARANTINE
from medray.storage.snapshot import snapshot
from medray.storage.store import LAKE

SITES = 4  # images; with the six problem files two chunks
PROBLEMS = 6


def ingest(lake: str) -> None:
    """Bring the archive beside the lake into it; it is made when it is not there."""
    archive = prepare(lake)
    os.environ.setdefault(story.KEY_VARIABLE, story.KEY)
    recipe = story.ingest_recipe(lake, str(archive / "archive"), chunks={"objects": 5})
    with without_ray():
        ingest_archive(story.recipe(recipe), story.job())


def prepare(lake: str) -> Path:
    """The archive beside the lake."""
    archive = Path(lake).parent / "site"
    if not archive.exists():
        story.archive(archive, SITES)
    return archive


def look(lake: str, complete: bool) -> list[str]:
    state = snapshot(LAKE, lake)
    images = state.table(IMAGES, ("SOPInstanceUID", "source_key"))
    refused = state.table(QUARANTINE, ("source_key",))["source_key"].to_pylist()
    counts = Counter([*images["source_key"].to_pylist(), *refused])
    found = [f"{count} rows of one object" for count in counts.values() if count > 1]
    if len(set(images["SOPInstanceUID"].to_pylist())) != images.num_rows:
        found.append("an image is there twice")
    total = SITES + PROBLEMS if complete or state.runs.num_rows else 0
    return found + ([f"{len(counts)} objects of {total}"] if len(counts) != total else [])
