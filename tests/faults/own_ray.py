"""The processes of a job that has a Ray of its own."""

from __future__ import annotations

from contextlib import suppress

import psutil


def descendants(driver: int) -> list[psutil.Process]:
    """The processes of one job, its Ray's among them."""
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(driver).children(recursive=True)
    return []


def bury(family: list[psutil.Process]) -> None:
    """Workers go on for a second or three after their driver died, as on a real host, and are given 5.
    What serves them is ended at once: it reads and writes nothing, and some of it would stay for ever."""
    psutil.wait_procs([process for process in family if not _serves(process)], timeout=5)
    for process in family:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def _serves(process: psutil.Process) -> bool:
    """A part of Ray itself: raylet, GCS, monitors, agents. A worker that just starts is none of these."""
    with suppress(psutil.Error):
        title = " ".join(process.cmdline())
        return "Agent" in title or ("/ray/" in title and "default_worker" not in title)
    return False
