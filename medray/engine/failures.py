"""How a worker tells the driver what went wrong, without a word of the input."""

from __future__ import annotations

import json
import pickle
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from medray.errors import EngineError, MedrayError


def reported(work: Callable[[Any], dict[str, Any]], chunk: Any) -> bytes:
    """Pickled JSON facts, or a pickled MedrayError.

    Unforeseen exceptions are reduced to their type and place: their texts may quote the input.
    """
    try:
        return pickle.dumps(json.dumps(work(chunk)))
    except MedrayError as error:
        return pickle.dumps(error)
    except Exception as error:
        return pickle.dumps(unforeseen(error))


def received(told: bytes) -> dict[str, Any]:
    """The facts that a worker told, or the error it met, raised here."""
    content = pickle.loads(told)
    if isinstance(content, MedrayError):
        raise content
    facts: dict[str, Any] = json.loads(content)
    return facts


def unforeseen(error: BaseException) -> EngineError:
    """An EngineError with the exception's type and the medray lines that it passed."""
    frames = [f"{Path(f.filename).name}:{f.lineno}" for f in traceback.extract_tb(error.__traceback__)]
    return EngineError(
        where="worker",
        found=f"{type(error).__name__} at {' < '.join(reversed(frames[-4:]))}",
        allowed="failures that medray foresees",
        do="report it with these lines; run again to continue with what is left",
    )
