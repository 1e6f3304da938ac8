"""The way back to the original: written by ingest, named before its rows are, read by who may."""

from __future__ import annotations

from pathlib import Path

import pytest
import story

from medray.contracts import Link
from medray.storage.linkage import LinkageWriter, commit_linkage, originals
from medray.storage.plans import Plan


@pytest.fixture
def place(tmp_path: Path) -> str:
    return str(tmp_path / "linkage")


def publish(place: str | None, plan: Plan, chunk: int, *links: Link) -> None:
    with LinkageWriter(place, plan.run_id, chunk) as writer:
        for link in links:
            writer.add(link)
        writer.publish()


def test_originals_are_found_once_the_run_names_them(place: str) -> None:
    plan = story.plan(inputs=(0, 1))
    publish(
        place, plan, 0, Link("subject", "11", "DOE"), Link("subject", "11", "DOE"), Link("study", "2.25.1", "1.2.3")
    )
    publish(place, plan, 1, Link("subject", "12", "ROE"), Link("subject", "11", "DOE"))
    assert originals(place, "11") == []
    commit_linkage(place, plan)
    commit_linkage(place, plan)
    assert originals(place, "11") == [("subject", "DOE")]
    assert originals(place, "2.25.1") == [("study", "1.2.3")]
    assert originals(place, "13") == []


def test_a_chunk_without_links_writes_no_file(place: str) -> None:
    plan = story.plan(inputs=(0,))
    publish(place, plan, 0)
    commit_linkage(place, plan)
    assert not Path(place).exists()
    assert originals(place, "11") == []


def test_without_a_place_nothing_is_kept() -> None:
    writer = LinkageWriter(None, "run", 0)
    writer.add(Link("subject", "11", "DOE"))
    writer.publish()
    assert "DOE" not in repr(vars(writer))


def test_left_without_publish_nothing_is_written(place: str) -> None:
    with LinkageWriter(place, "run", 0) as writer:
        writer.add(Link("subject", "11", "DOE"))
    assert not Path(place).exists()
