"""The real files that come with pydicom, through a whole ingest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from dicom.conftest import SHOW_NO_ONE
from dicom.test_dicom_examples import EXPECTED, FOLDERS

from medray import config
from medray.dicom.examples import FOLDER, copy_examples, example_files
from medray.drivers.images.ingest import ingest_archive
from medray.drivers.job import Job, Result
from medray.narration import silent
from medray.privacy.pseudonyms import Pseudonyms
from medray.schema.images import IMAGES
from medray.schema.quarantine import QUARANTINE
from medray.storage.snapshot import snapshot
from medray.storage.store import LAKE

pytestmark = pytest.mark.ray
KEY = "k" * 64
KINDS = [rule.model_dump(exclude_none=True) for rule in SHOW_NO_ONE.cleared]
OBJECTS = len(example_files())


def _ingest(folder: Path, lake: str, objects: int) -> Result:
    document = {
        "job": "ingest_dicom", "name": "examples", "lake": lake,
        "source": {"kind": "dicom", "uri": str(folder / "archive"), "subject": "image"},
        "deidentify": {"profile": "basic", "key": f"file:{folder / 'key'}", "cleared": KINDS},
        "chunks": {"objects": objects},
    }  # fmt: skip
    return ingest_archive(config.parse(document, "test"), Job("2026-01-01", silent()))  # type: ignore[arg-type]


def _outcomes(lake: str) -> dict[str, str]:
    """Reason, or "ingested", by source key."""
    state = snapshot(LAKE, lake)
    refused = state.table(QUARANTINE, ("source_key", "reason")).to_pylist()
    kept = state.table(IMAGES, ("source_key",))["source_key"].to_pylist()
    return {row["source_key"]: row["reason"] for row in refused} | dict.fromkeys(kept, "ingested")


def _expected(name: str) -> set[str]:
    found: Any = EXPECTED.get(name) or next(word for start, word in FOLDERS.items() if name.startswith(start))
    if isinstance(found, str) and found not in ("image", "decode_failed"):
        return {found}
    # The same image comes in many syntaxes: the first is kept, the others have its id.
    return {"ingested", "conflict", "duplicate"}


def test_every_file_ends_where_it_must_whoever_reads_it(ray_session: object, tmp_path: Path) -> None:
    copy_examples(tmp_path / "archive")
    (tmp_path / "key").write_text(KEY)
    lakes = {objects: str(tmp_path / f"lake-{objects}") for objects in (1000, 9)}
    results = {objects: _ingest(tmp_path, lake, objects) for objects, lake in lakes.items()}
    outcomes = _outcomes(lakes[9])
    pseudonyms = Pseudonyms(KEY.encode())
    for path in example_files():
        name = path.relative_to(FOLDER).as_posix()
        key = pseudonyms.source_key(str(tmp_path / "archive" / "pydicom" / name))
        assert outcomes[key] in _expected(name), name
    assert len(outcomes) == OBJECTS
    tables = [snapshot(LAKE, lake).table(IMAGES).sort_by("source_key") for lake in lakes.values()]
    assert tables[0].equals(tables[1])
    uids = tables[0]["SOPInstanceUID"].to_pylist()
    assert len(uids) == len(set(uids)) == results[9].sums[0].parts["ingested"]
    again = _ingest(tmp_path, lakes[9], 9)
    assert (again.status, dict(again.sums[0].parts)["known"]) == ("nothing", OBJECTS)
    page = Path(results[9].facts["report"]).read_text()
    assert "pictures: " in page
    assert results[9].facts["reasons"]["not_dicom"] == list(outcomes.values()).count("not_dicom")
