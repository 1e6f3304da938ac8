"""Earlier nights of a recipe, as `runs` keeps them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pyarrow.compute as pc

from medray.planning.gate.history import Night, Share, Status
from medray.storage.snapshot import Snapshot

JOB = "nightly"
_COLUMNS = ["run_id", "run_date", "verdict", "model_sha256", "facts", "report_uri", "name", "committed_at"]


def night_rows(state: Snapshot, name: str | None = None) -> list[dict[str, Any]]:
    """The rows of `runs` that are nights (of one recipe), oldest first, with `facts` read and `status`
    as people have decided since."""
    released, rejected = state.decided("release"), state.decided("reject")
    rows = []
    for row in state.runs.filter(pc.field("job") == JOB).select(_COLUMNS).to_pylist():
        if name is not None and row["name"] != name:
            continue
        status = row["verdict"] or "published"
        if row["run_id"] in released:
            status = "released"
        elif row["run_id"] in rejected:
            status = "rejected"
        rows.append({**row, "facts": json.loads(row["facts"] or "{}"), "status": status})
    return sorted(rows, key=lambda row: (row["run_date"], row["committed_at"]))


def nights(state: Snapshot, name: str) -> list[Night]:
    """Earlier nights, as the gate compares with them."""
    return [read_night(row["facts"]["night"], row) for row in night_rows(state, name) if "night" in row["facts"]]


def night_document(night: Night) -> dict[str, Any]:
    """What a night looked like, as JSON; `read_night` reads it. Its date and status stand beside it."""
    return {
        "arrivals": night.arrivals,
        "usable": night.usable,
        "inputs": night.inputs,
        "shares": {name: [share.part, share.whole] for name, share in night.shares.items()},
        "observed": night.observed,
    }


def read_night(document: Mapping[str, Any], row: Mapping[str, Any]) -> Night:
    status: Status = row["status"]
    return Night(
        run_date=row["run_date"],
        status=status,
        model_sha256=row["model_sha256"],
        arrivals=document["arrivals"],
        usable=document["usable"],
        inputs=document["inputs"],
        shares={name: Share(*share) for name, share in document["shares"].items()},
        observed=document["observed"],
    )


def unused_share(night: dict[str, Any]) -> float:
    """The largest of the shares that are watched: quarantined or abstained, 0 to 1."""
    return max((part / whole for part, whole in night["shares"].values() if whole), default=0.0)
