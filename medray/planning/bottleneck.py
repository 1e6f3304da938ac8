"""Whether a training waits for its data, and what would help."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

WAIT = 0.1  # of the time of a GPU; a CPU makes its batches itself
ON_CPU = 0.4
IDLE = 0.2  # of the time in which a GPU was looked at


def advice(history: Sequence[Mapping[str, float]], *, gpu: bool, read_ahead: int) -> list[str]:
    """What a person is told of a training that does not keep its devices busy; empty where it does.

    Args:
        history: records of epochs (`engine.meters.epoch_figures`). The first one fills caches, and is left out where
            there are others.
        gpu: whether it ran on GPUs.
        read_ahead: of `[training]`.
    """
    settled = history[1:] or history
    wait, read, busy = (_mean(settled, name) for name in ("wait_share", "read_share", "gpu_busy"))
    told = []
    if wait is not None and wait > (WAIT if gpu else ON_CPU):
        knob = _knob(wait, read or 0.0, gpu, read_ahead)
        told.append(f"Ingest is the bottleneck: {wait:.0%} of the time was spent waiting for batches. {knob}")
    elif busy is not None and busy < 1 - IDLE:
        told.append(
            f"The GPU was idle {1 - busy:.0%} of the time though batches were there: its steps are too small. Raise "
            "[training] batch_size, or set compile = 'yes'."
        )
    return told


def _knob(wait: float, read: float, gpu: bool, read_ahead: int) -> str:
    if read > wait / 2:
        return (
            "Most of it is reading prepared values: keep the node's cache on a local disk, give the node more memory, "
            "or make examples smaller ([family])."
        )
    if gpu:
        return (
            f"Most of it is making inputs: raise [training] read_ahead (now {read_ahead}), give each worker more "
            "cores, or do with fewer augmentations."
        )
    return (
        "Most of it is making inputs on the cores that train: more [training] workers on more cores, a GPU, or fewer "
        "augmentations."
    )


def _mean(history: Sequence[Mapping[str, float]], name: str) -> float | None:
    values = [record[name] for record in history if name in record]
    return sum(values) / len(values) if values else None
