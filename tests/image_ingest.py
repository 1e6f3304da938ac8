"""An ingest of images in the process of the test, and drawn images to ingest."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import story

from medray.demo.archive import write_studies
from medray.drivers.images import collide, ingest
from medray.engine.chunks import Effort


def here(
    work: Callable[[Any], dict[str, Any]], chunks: Sequence[Any], watch: Callable[..., None] = lambda *_: None
) -> Iterator[dict[str, Any]]:
    """`run_chunks` in this process; each chunk costs a tenth of a second and 128 MB."""
    for chunk in chunks:
        facts = work(chunk)
        watch(facts, Effort(0.1, 0.1, 2**27))
        yield facts


def without_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ingests run their chunks here."""
    for module in (ingest, collide):
        monkeypatch.setattr(module, "run_chunks", here)


def drawn(folder: Path, count: int) -> list[bytes]:
    """So many DICOM files."""
    paths = write_studies(folder, story.cases(count), first_day=story.FIRST_DAY)
    return [(folder / path).read_bytes() for path in paths]
