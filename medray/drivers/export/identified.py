"""An export is as identifying as its lake."""

from __future__ import annotations

import json

from medray.drivers.job import Job
from medray.storage.failures import told
from medray.storage.uri import join


def warn_if_identified(lake: str, job: Job) -> None:
    """Say so where the lake keeps original identifiers and dates."""
    with told(lake):
        identity = json.loads(job.store.read(join(lake, "lake.json")))
    if identity["identified"]:
        job.tell.warn('this lake is identified (profile = "none"), and so is its export')
