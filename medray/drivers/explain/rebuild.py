"""A prediction made again, from its data file and by the same model, on this machine's CPU."""

from __future__ import annotations

import os
import struct
import tempfile
from collections.abc import Mapping
from typing import Any

from medray.code_version import code_version
from medray.drivers.explain.input_facts import Given
from medray.drivers.inputs.find import read_inputs
from medray.drivers.inputs.prepare_chunk import PrepareWork
from medray.drivers.job import Job
from medray.drivers.models.predict_chunk import PredictChunk, Scorer
from medray.drivers.models.stamp import Stamp
from medray.storage.models import Registered

_STAMPED = ("code_version", "scored_at")  # what no repetition has to give again


def rebuilt(given: Given, row: Mapping[str, Any], model: Registered, job: Job) -> dict[str, Any]:
    """The row made again and compared, every column bit by bit; the prepared cache is not looked at.

    Returns:
        `differs`: columns whose values are not the same, with both; empty when all are.
    """
    lake = given.state.lake
    stamp = Stamp(
        model, row["code_version"], row["recipe_sha256"], row["run_id"], str(row["run_date"]), row["scored_at"]
    )
    (file,) = read_inputs(given.state, [given.path], given.reading)
    reason = next(item.reason for item in file.inputs if item.key == given.key)
    with tempfile.TemporaryDirectory(prefix="medray-rebuild-") as folder:
        shard = os.path.join(folder, "shard.arrow")
        if reason is None:
            PrepareWork(given.reading, job.store, lake)(given.chunk(shard))
            chunk = PredictChunk(0, given.path, shard, frozenset([given.key]), {})
        else:
            chunk = PredictChunk(0, given.path, shard, frozenset(), {given.key: reason})
        rows, _, _ = Scorer(job.store, lake, stamp, device="cpu").answers(chunk)
    again: Mapping[str, Any] = next((one for one in rows if _place(one) == _place(row)), {})
    differs = {
        name: {"stored": row[name], "rebuilt": again.get(name)}
        for name in row
        if name not in _STAMPED and not _same(row[name], again.get(name))
    }
    here = code_version()
    return {
        "same": not differs,
        "differs": differs,
        "raw_score": again.get("raw_score"),
        "code_version_of_row": row["code_version"],
        "code_version_here": here,
        "same_code": here == row["code_version"],
    }


def _place(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return (row["label"], row.get("frame_index"))


def _same(stored: Any, again: Any) -> bool:
    """Numbers to the last bit."""
    if isinstance(stored, float) and isinstance(again, float):
        return struct.pack("d", stored) == struct.pack("d", again)
    return bool(stored == again)
