"""Events of a run as rows of `audit`."""

from __future__ import annotations

import getpass
import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pyarrow as pa

from medray.schema.audit import AUDIT, EVENTS
from medray.storage.delta import NewFile
from medray.storage.plans import Plan, now


@dataclass(frozen=True)
class Event:
    """Attributes:
    event: a word of `schema.audit.EVENTS`.
    name, version: table, model, recipe or run that it is about.
    detail: JSON; nothing that identifies a patient.
    """

    event: str
    name: str
    version: int | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


def commit_event(table: str, version: int, files: Sequence[NewFile], taken_out: Sequence[str]) -> Event:
    """A table's new version with a digest of what it names and names no more."""
    digest = contents_digest(((file.path, file.size_bytes) for file in files), taken_out)
    detail = {
        "files": len(files),
        "rows": sum(file.rows for file in files),
        "bytes": sum(file.size_bytes for file in files),
        "taken_out": len(taken_out),
        "sha256": digest,
    }
    return Event("commit", table, version, detail)


def contents_digest(added: Iterable[tuple[str, int]], taken_out: Iterable[str]) -> str:
    """SHA-256 of a commit's contents: its files by path and size, and those that it takes out."""
    told = json.dumps([sorted([path, size] for path, size in added), sorted(taken_out)])
    return hashlib.sha256(told.encode()).hexdigest()


def audit_rows(plan: Plan, counts: Mapping[str, int], events: Sequence[Event]) -> pa.Table:
    """The run itself and its events. Raises `ValueError` for an event that `audit` does not know."""
    about = {"code_version": plan.code_version, "recipe_sha256": plan.recipe_sha256, "counts": dict(counts)}
    who, at = actor(), now()
    rows = []
    for one in (Event("run", plan.name, None, about), *events):
        if one.event not in EVENTS:
            raise ValueError(f"audit event {one.event!r}; known: {', '.join(EVENTS)}")
        rows.append(
            {
                "event": one.event,
                "at": at,
                "run_id": plan.run_id,
                "job": plan.job,
                "run_date": date.fromisoformat(plan.run_date),
                "name": one.name,
                "version": one.version,
                "actor": who,
                "detail": json.dumps(dict(one.detail), sort_keys=True),
            }
        )
    return pa.Table.from_pylist(rows, schema=AUDIT.schema)


def actor() -> str:
    """Who started this, as the machine knows them; `MEDRAY_ACTOR` where a scheduler or service stands
    between them and the machine."""
    try:
        return os.environ.get("MEDRAY_ACTOR") or getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return f"uid {os.getuid()}"
