"""A night on one machine: a line for its crontab."""

from __future__ import annotations

import shlex
from pathlib import Path

from medray.errors import RecipeError
from medray.schedule.order import DEADLINE_S, Order

_RUNNING = 75  # of flock, where the night before is still at work
_WORDS = (
    "3 held: medray release or medray reject; 2 a recipe with mistakes; 1 failed: the next night finishes it; "
    f"124 past its deadline; {_RUNNING} the night before is still running"
)


def crontab(order: Order, python: str, remarks: list[str]) -> str:
    """The lines to append to a crontab: one run at a time, ended at its deadline, its output appended to
    a log beside the recipe. A night that ends well says nothing; any other exit code is a line that
    cron mails, and the exit code of the line.

    Args:
        python: the interpreter of the environment that medray is installed in.

    Raises:
        RecipeError: the recipe's path cannot stand in a crontab.
    """
    folder, name = order.path.parent, order.name
    if "%" in str(order.path) or "\n" in str(order.path):
        raise RecipeError(f"recipe {order.path}", "a path with %", "a path that crontab can hold", "rename it")
    log = shlex.quote(str(folder / f"{name}.log"))
    lock = ["flock", "--nonblock", "--conflict-exit-code", str(_RUNNING), str(folder / f"{name}.lock")]
    limit = ["timeout", "--kill-after=60", str(DEADLINE_S)]
    command = shlex.join([*lock, *limit, *_run(order, Path(python)), *order.timing()])
    told = f'code=$?; echo "{name}: exit code $code ({_WORDS}); see" {log}; exit $code'
    notes = [
        "The machine's clock, by which cron starts this line, has to run in "
        f"{order.schedule.zone.key}; secrets come from the crontab's environment or files.",
        *remarks,
    ]
    line = f"{order.schedule.cron.text} {command} >> {log} 2>&1 || {{ {told}; }}"
    return "".join(f"# {note}\n" for note in notes) + line + "\n"


def _run(order: Order, python: Path) -> list[str]:
    if order.address:
        submit = [str(python.with_name("medray")), "submit", str(order.path), "--address", order.address]
        return [*submit, "--deadline-s", str(DEADLINE_S)]
    return [str(python), "-m", "medray.entry", "nightly", str(order.path)]
