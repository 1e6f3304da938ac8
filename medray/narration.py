"""What is told while a job runs: lines and bars for a person, or one JSON object a line for a machine.

`MEDRAY_LOG=json` chooses the machine. Neither is ever told anything that identifies a patient.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from medray.errors import MedrayError, RecipeError


class Bar(Protocol):
    """The progress of one stage."""

    def advance(self, by: float = 1, note: str = "") -> None: ...


class _Bar:
    def __init__(self, progress: Progress, total: float, title: str) -> None:
        self._progress = progress
        self._task = progress.add_task(title, total=total, note="")

    def advance(self, by: float = 1, note: str = "") -> None:
        self._progress.update(self._task, advance=by, note=note)


class Narrator:
    """Tells a console. On something that is no terminal, bars are not drawn. Facts beside a text are for machines."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False, soft_wrap=True)

    def about(self, **known: Any) -> None:
        """What holds for every later line: job, recipe, run_date, run_id."""

    def title(self, text: str) -> None:
        self.console.print(f"\n[bold cyan]{text}[/]")

    def say(self, text: str, **_facts: Any) -> None:
        self.console.print(f"  {text}", markup=False)

    def warn(self, text: str, **_facts: Any) -> None:
        self.console.print(f"  ! {text}", style="yellow", markup=False)

    def stopped(self, error: MedrayError) -> None:
        """A broken contract ends the job."""
        self.console.print(f"\n{type(error).__name__}: {error}", style="red", markup=False)

    @contextmanager
    def bar(self, title: str, total: float, **_facts: Any) -> Iterator[Bar]:
        columns = (
            TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn(),
            TimeElapsedColumn(), TimeRemainingColumn(), TextColumn("{task.fields[note]}"),
        )  # fmt: skip
        with Progress(*columns, console=self.console, disable=not self.console.is_terminal) as progress:
            yield _Bar(progress, total, title)


_EVERY_S = 30.0  # a long stage tells how far it is


class _Steps:
    """The progress of one stage as lines."""

    def __init__(self, teller: JsonNarrator, title: str, total: float, facts: Mapping[str, Any]) -> None:
        self._teller, self._title, self._total, self._facts, self._done = teller, title, total, facts, 0.0
        self._begun = self._told = time.monotonic()

    def advance(self, by: float = 1, note: str = "") -> None:
        self._done += by
        if time.monotonic() - self._told >= _EVERY_S:
            self._told = time.monotonic()
            self.tell("progress", note)

    def tell(self, event: str, note: str = "") -> None:
        seconds = round(time.monotonic() - self._begun, 2)
        far = {"stage": self._title, "done": self._done, "total": self._total, "seconds": seconds}
        self._teller.line("info", event, note or self._title, **self._facts, **far)


class JsonNarrator(Narrator):
    """Tells a machine: time (UTC), level, what the lines are about, event, text and numbers."""

    def __init__(self) -> None:
        super().__init__(Console(quiet=True))
        self._about: dict[str, Any] = {}

    def about(self, **known: Any) -> None:
        self._about.update(known)

    def title(self, text: str) -> None:
        self.line("info", "begin", text)

    def say(self, text: str, **facts: Any) -> None:
        self.line("info", facts.pop("event", "told"), text.strip(), **facts)

    def warn(self, text: str, **facts: Any) -> None:
        self.line("warning", facts.pop("event", "told"), text.strip(), **facts)

    def stopped(self, error: MedrayError) -> None:
        parts = {"where": error.where, "found": error.found, "allowed": error.allowed, "do": error.do}
        self.line("error", "stopped", str(error), kind=type(error).__name__, exit_code=error.exit_code, **parts)

    @contextmanager
    def bar(self, title: str, total: float, **facts: Any) -> Iterator[Bar]:
        steps = _Steps(self, title, total, facts)
        yield steps
        steps.tell("stage")

    def line(self, level: str, event: str, text: str, **facts: Any) -> None:
        """Write one line at once: a killed job has told what it did."""
        told = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "level": level, **self._about}
        print(json.dumps({**told, "event": event, "text": text, **facts}), flush=True)


def narrator() -> Narrator:
    """The one that `MEDRAY_LOG` asks for.

    Raises:
        RecipeError: it asks for something else than text or json.
    """
    form = os.environ.get("MEDRAY_LOG") or "text"
    if form not in ("text", "json"):
        raise RecipeError("MEDRAY_LOG", repr(form), "text or json", "correct the environment of the job")
    return JsonNarrator() if form == "json" else Narrator()


def silent() -> Narrator:
    """A narrator that nobody hears."""
    return Narrator(Console(quiet=True))
