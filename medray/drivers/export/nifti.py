"""`medray export nifti`: the volumes of a lake as NIfTI-1 files, one each.

A file is named by series, volume and version, whose content never changes: one that stands is kept,
and a killed export goes on.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection

from medray.drivers.export.identified import warn_if_identified
from medray.drivers.export.nifti_chunk import NiftiChunk, NiftiWork
from medray.drivers.job import Job, Result
from medray.drivers.volumes.read import VolumeKey, newest_volumes
from medray.engine.chunks import run_chunks
from medray.errors import PlanError, StorageError
from medray.planning.accounting import Sum
from medray.storage.failures import told
from medray.storage.snapshot import snapshot
from medray.storage.store import Store
from medray.storage.uri import join

SETTINGS = "medray_export.json"
_A_CHUNK = 8  # volumes


def export_nifti(lake: str, target: str, series: Collection[str], fill: float, job: Job) -> Result:
    """Write `<SeriesInstanceUID>-<volume_index>-v<input_version>.nii.gz`: float32 in the modality's unit,
    with the affine in NIfTI's coordinates (to the right, to anterior, to the head; mm).

    Args:
        series: SeriesInstanceUIDs of the lake; all of its volumes where empty.
        fill: of padding and of what no slice covers.

    Raises:
        PlanError: the lake has no such volume. StorageError: the target was begun with another fill.
    """
    keys = newest_volumes(snapshot(job.store, lake), series or None)
    _must_stand(lake, keys, series)
    warn_if_identified(lake, job)
    _freeze(job.store, target, fill)
    work = NiftiWork(job.store, lake, target, fill)
    counts: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    chunks = [NiftiChunk(tuple(keys[at : at + _A_CHUNK])) for at in range(0, len(keys), _A_CHUNK)]
    with job.tell.bar("export", len(keys)) as bar:
        for facts in run_chunks(work, chunks):
            counts.update(facts["counts"])
            reasons.update(facts["reasons"])
            bar.advance(sum(facts["counts"].values()))
    total = Sum("volumes", len(keys), {name: counts[name] for name in ("written", "known", "unusable")}).checked()
    job.tell.say(f"exported: {total}")
    for reason, count in reasons.most_common():
        job.tell.warn(f"{count:,} volumes cannot be assembled: {reason}")
    return Result("done" if counts["written"] else "nothing", (), (total,))


def _must_stand(lake: str, keys: Collection[VolumeKey], series: Collection[str]) -> None:
    absent = set(series) - {key.series for key in keys}
    if absent or not keys:
        found = f"no volume of {', '.join(sorted(absent))}" if absent else "no volumes"
        do = "look into the table volumes for its reason, or ingest with a [volumes] section"
        raise PlanError(f"lake {lake}", found, "SeriesInstanceUIDs with a row of status 'volume'", do)


def _freeze(store: Store, target: str, fill: float) -> None:
    """One fill for all files of a folder."""
    wanted = json.dumps({"fill": str(fill)}).encode()
    with told(target):
        if store.put_if_absent(join(target, SETTINGS), wanted) or store.read(join(target, SETTINGS)) == wanted:
            return
    raise StorageError(target, "an export with another --fill", "one fill for all files of a folder", "name another")
