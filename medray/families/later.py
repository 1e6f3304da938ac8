"""Functions that are imported when they are first called: what prepares inputs does without torch."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True)
class Later:
    """Calls `function` of `module`; importing torch takes a worker 2 CPU s and 200 MB."""

    module: str
    function: str

    def __call__(self, *arguments: Any) -> Any:
        return getattr(import_module(self.module), self.function)(*arguments)
