"""Running chunks on a pool of actors that each hold something costly, such as a model on a GPU."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from medray.engine.failures import received, reported
from medray.engine.metrics import chunk_done, chunk_failed
from medray.errors import EngineError, MedrayError

Facts = dict[str, Any]
Make = Callable[[], Callable[[Any], Facts]]
_LIVES = 3


def run_actors(make: Make, chunks: Sequence[Any], *, actors: int, gpus_each: float) -> Iterator[Facts]:
    """Each chunk's facts, in the order in which they finish.

    Args:
        make: picklable; called once in each actor (again when it was restarted). What it returns
            must bear repetition of a chunk.
        chunks: picklable descriptions, never pixels.

    Raises:
        MedrayError: what the work raised, or an EngineError for an actor that died 3 times.
    """
    import ray
    from ray.exceptions import RayError

    worker = ray.remote(num_cpus=1, num_gpus=gpus_each, max_restarts=_LIVES, max_task_retries=_LIVES)(_Actor)
    waiting = list(reversed(chunks))
    busy: dict[Any, Any] = {}
    begun: dict[Any, float] = {}  # seconds on the driver's clock, by actor
    for _ in range(min(actors, len(chunks))):
        one = worker.remote()
        begun[one] = time.monotonic()
        busy[one.run.remote(make, waiting.pop())] = one
    try:
        while busy:
            done, _ = ray.wait(list(busy), num_returns=1)
            one = busy.pop(done[0])
            facts = received(ray.get(done[0]))
            chunk_done(time.monotonic() - begun[one], 0)
            begun[one] = time.monotonic()
            if waiting:
                busy[one.run.remote(make, waiting.pop())] = one
            yield facts
    except MedrayError:
        chunk_failed()
        raise
    except RayError as error:
        chunk_failed()
        raise EngineError(
            where="scoring",
            found=f"an actor that died more than {_LIVES} times ({type(error).__name__})",
            allowed="actors that live",
            do="look for memory: fewer [compute] actors or smaller chunks; running again continues",
        ) from error
    finally:
        for one in busy.values():
            ray.kill(one)


class _Actor:
    """Holds what `make` made. It is made with the first chunk: an error in a constructor would
    reach the driver as a lost actor, without its message."""

    def __init__(self) -> None:
        self._work: Callable[[Any], Facts] | None = None

    def run(self, make: Make, chunk: Any) -> bytes:
        def work(one: Any) -> Facts:
            if self._work is None:
                self._work = make()
            return self._work(one)

        return reported(work, chunk)
