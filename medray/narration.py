"""What a person sees while a job runs: one line per stage, a bar for long work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


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
    """Tells a console. On something that is no terminal, bars become one line when they end."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False, soft_wrap=True)

    def title(self, text: str) -> None:
        self.console.print(f"\n[bold cyan]{text}[/]")

    def say(self, text: str) -> None:
        self.console.print(f"  {text}", markup=False)

    def warn(self, text: str) -> None:
        self.console.print(f"  ! {text}", style="yellow", markup=False)

    @contextmanager
    def bar(self, title: str, total: float) -> Iterator[Bar]:
        columns = (
            TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn(),
            TimeElapsedColumn(), TimeRemainingColumn(), TextColumn("{task.fields[note]}"),
        )  # fmt: skip
        with Progress(*columns, console=self.console, disable=not self.console.is_terminal) as progress:
            yield _Bar(progress, total, title)


def silent() -> Narrator:
    """A narrator that nobody hears."""
    return Narrator(Console(quiet=True))
