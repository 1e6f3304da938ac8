"""Running one function over chunks with Ray Data: paths move, bytes do not."""

from __future__ import annotations

import json
import pickle
import resource
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from medray.engine.failures import received, reported
from medray.engine.metrics import chunk_done, chunk_failed
from medray.errors import EngineError, MedrayError

Facts = dict[str, Any]
Work = Callable[[Any], Facts]


@dataclass(frozen=True)
class Effort:
    """What one chunk cost the worker that did it. It is no fact: another attempt costs something else.

    Attributes:
        seconds, cpu_s: wall time and CPU time of the worker's process.
        peak_bytes: the most memory that this process has ever had resident.
    """

    seconds: float
    cpu_s: float
    peak_bytes: int


def run_chunks(
    work: Work, chunks: Sequence[Any], watch: Callable[[Facts, Effort], None] = lambda _facts, _effort: None
) -> Iterator[Facts]:
    """Each chunk's facts, in the order in which they finish.

    Args:
        watch: told of each chunk, before its facts are given.
        work: picklable; its result is JSON. It must bear repetition: Ray runs it again when a
            worker dies.
        chunks: picklable descriptions (keys, paths, row numbers), never pixels.

    Raises:
        MedrayError: what `work` raised, or an EngineError for anything that it did not foresee.
    """
    if not chunks:
        return
    import ray

    dataset = ray.data.from_items(
        [{"payload": pickle.dumps(chunk)} for chunk in chunks], override_num_blocks=len(chunks)
    ).map_batches(_Once(work), batch_size=1, num_cpus=1)
    yield from _facts(dataset, watch)


class _Once:
    """A batch of one chunk in, its facts out, in a task."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self.__name__ = "chunk"  # Ray names tasks after it: never after anything of the input

    def __call__(self, batch: dict[str, np.ndarray[Any, Any]]) -> dict[str, list[bytes]]:
        started, cpu = time.monotonic(), time.process_time()
        facts = [reported(self._work, pickle.loads(payload)) for payload in batch["payload"]]
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        effort = Effort(time.monotonic() - started, time.process_time() - cpu, peak)
        return {"facts": facts, "effort": [json.dumps(asdict(effort)).encode()]}


def _facts(dataset: Any, watch: Callable[[Facts, Effort], None]) -> Iterator[Facts]:
    from ray.exceptions import RayError

    try:
        for row in dataset.iter_rows():
            facts, effort = received(row["facts"]), Effort(**json.loads(row["effort"]))
            chunk_done(effort.seconds, int(facts.get("bytes_read", 0)))
            watch(facts, effort)
            yield facts
    except MedrayError:
        chunk_failed()
        raise
    except RayError as error:
        chunk_failed()
        raise EngineError(
            where="Ray Data",
            found=f"a chunk that could not be finished ({type(error).__name__})",
            allowed="workers that live through a chunk",
            do="look for memory: give workers more of it or make chunks smaller ([chunks] megabytes), then run again",
        ) from error
