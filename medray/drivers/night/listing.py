"""The history of nights, for people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from medray.drivers.night.nights import night_rows, unused_share
from medray.storage.snapshot import Snapshot

_BLOCKS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True)
class Line:
    """One night.

    Attributes:
        run, day, recipe, status: short run id, ISO date, name of the recipe, what became of it.
        usable, unused: what came and could be used, and the largest share that is watched, 0 to 1.
        reason: the first finding that holds it, or "".
        report: where its page lies, or "".
    """

    run: str
    day: str
    recipe: str
    status: str
    usable: int
    unused: float
    reason: str
    report: str


def history(state: Snapshot, name: str | None) -> list[Line]:
    """Every night of the lake (of one recipe), oldest first."""
    lines = []
    for row in night_rows(state, name):
        night = row["facts"].get("night")
        held = [one for one in row["facts"].get("findings", ()) if one["holds"]]
        lines.append(
            Line(
                row["run_id"][:12],
                row["run_date"].isoformat(),
                row["name"],
                row["status"],
                night["usable"] if night else 0,
                unused_share(night) if night else 0.0,
                f"{held[0]['check']}: {held[0]['about']}" if held else "",
                row["report_uri"] or "",
            )
        )
    return lines


def spark(values: Sequence[float]) -> str:
    """One block a value, from the smallest eighth for 0 to a full one for the largest."""
    most = max([*values, 0.0])
    return "".join(_BLOCKS[round(7 * value / most) if most else 0] for value in values)
