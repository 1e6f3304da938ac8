"""Named points before and after every step by which a run changes a lake, and what may happen there.

The points are not written down anywhere: a clean run is watched, and each thing that it does to the lake
(a link, a replacement, a deletion, a table, an entry of a table's log) is a step. A new table, or a new
file of a plan, has its points by itself. Product code knows nothing of them: what it calls is wrapped.
"""

from __future__ import annotations

import errno
import importlib
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

from deltalake import DeltaTable

from medray.errors import MedrayError
from medray.storage.store import TEMPORARY, Store

BEFORE, AFTER = "before", "after"
CRASHED = 77
At = Callable[[str], None]
Act = Callable[[str], object]
Look = Callable[[str, bool], list[str]]


def steps(act: Act, lake: str) -> list[str]:
    """Do it once undisturbed. Returns its points in order: "before link plans/...", "after link plans/..."."""
    seen: list[str] = []
    with watched(lake, seen.append):
        act(lake)
    return seen


@contextmanager
def watched(lake: str, at: At) -> Iterator[None]:
    """Call `at` with the name of each point that is passed in the block."""
    names = _Names(lake)
    with ExitStack() as patches:
        for owner, attribute, word, place in _STEPS:
            step = _wrapped(getattr(owner, attribute), word, place, names, at)
            patches.enter_context(patch.object(owner, attribute, step))
        yield


# Where each is called with the place that it changes. The first two are all that a folder's files come by.
_STEPS: tuple[tuple[Any, str, str, Callable[..., str]], ...] = (
    (os, "link", "link", lambda _, new, **__: str(new)),
    (os, "replace", "replace", lambda _, new, **__: str(new)),
    (Store, "delete", "delete", lambda _, uri: uri),
    (DeltaTable, "create", "create", lambda uri, *_, **__: str(uri)),
    (DeltaTable, "create_write_transaction", "log", lambda table, *_, **__: str(table.table_uri)),
)


def _wrapped(
    real: Callable[..., Any], word: str, place: Callable[..., str], names: _Names, at: At
) -> Callable[..., Any]:
    def step(*args: Any, **kwargs: Any) -> Any:
        where = place(*args, **kwargs)
        if not names.knows(where):
            return real(*args, **kwargs)
        name = names.of(f"{word} {names.below(where)}")
        at(f"{BEFORE} {name}")
        result = real(*args, **kwargs)
        at(f"{AFTER} {name}")
        return result

    return step


class _Names:
    """Places below a lake with hashes shortened, each numbered from its second time on."""

    def __init__(self, lake: str) -> None:
        self._lake, self._count = lake, Counter[str]()

    def knows(self, place: str) -> bool:
        return place.removeprefix("file://").startswith(self._lake)

    def below(self, place: str) -> str:
        below = place.removeprefix("file://").removeprefix(self._lake).strip("/")
        return re.sub(rf"{TEMPORARY}\w+", "TEMPORARY", re.sub(r"[0-9a-f]{16,64}", "HASH", below))

    def of(self, name: str) -> str:
        self._count[name] += 1
        return name if self._count[name] == 1 else f"{name} ({self._count[name]})"


def fails(act: Act, lake: str, point: str, look: Look) -> list[str]:
    """The store answers with an error at the point. Whether the step was done, the run cannot know: it says
    what failed, or finds that all is done."""

    def at(name: str) -> None:
        if name == point:
            raise OSError(errno.EIO, "Input/output error", lake)

    try:
        with watched(lake, at):
            act(lake)
    except MedrayError:
        return [f"{point}: {one}" for one in look(lake, False)]
    except Exception as error:
        return [f"{point}: {type(error).__name__} where a StorageError was due"]
    return [f"{point}: {one}" for one in look(lake, True)]


def hangs(act: Act, lake: str, point: str, look: Look) -> list[str]:
    """The run stands still at the point, as when its machine is cut off; another attempt runs to its end;
    then the first one goes on. It may find that it is not needed, and say so."""
    found: list[str] = []
    passed: list[str] = []

    def at(name: str) -> None:
        if name == point and not passed:
            passed.append(name)
            act(lake)
            found.extend(look(lake, True))

    with watched(lake, at), suppress(MedrayError):
        act(lake)
    found += look(lake, True) + temporaries(lake)
    return [f"{point}: {one}" for one in found] + ([] if passed else [f"{point}: was not passed"])


def crashes(
    lake: str, number: int, wait: Callable[[], int], act: Act, look: Look, points: Sequence[str], faults: str
) -> None:
    """Processes that end at one point after another, with nothing put in order; what is found wrong in
    between is appended to the file `faults`. Called in a process that has started no thread."""
    importlib.import_module("pyarrow.dataset")  # which loads pandas: once, not in each of them
    for point in points:
        child = os.fork()
        if not child:
            _crash(lake, act, look, point, faults)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.waitstatus_to_exitcode(status) != CRASHED:
            _note(faults, [f"{point}: ended with {os.waitstatus_to_exitcode(status)}"])


def _crash(lake: str, act: Act, look: Look, point: str, faults: str) -> None:
    def at(name: str) -> None:
        if name == point:
            os._exit(CRASHED)

    _note(faults, look(lake, False))
    with watched(lake, at):
        act(lake)


def _note(faults: str, lines: Sequence[str]) -> None:
    with open(faults, "a") as stream:
        stream.writelines(f"{line}\n" for line in lines)


def temporaries(lake: str) -> list[str]:
    """Half-written files that nobody will ever finish or remove."""
    return [f"left over: {path.relative_to(lake)}" for path in sorted(Path(lake).rglob(f"{TEMPORARY}*"))]
