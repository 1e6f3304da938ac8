"""What the report of a run of volumes shows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow.compute as pc

from medray.contracts import Array
from medray.drivers.job import Job
from medray.drivers.volumes.read import read_volume
from medray.errors import Unusable
from medray.ops.middle_slices import middle_slices
from medray.planning.accounting import Sum
from medray.report.ingest import Sheet, ingest_report
from medray.report.sections import Sum as ShownSum
from medray.schema.volumes import VOLUMES
from medray.storage.delta import scan_file, table_uri
from medray.storage.failures import told
from medray.storage.plans import Plan
from medray.storage.uri import join

SHOWN, SLICES = 4, 400  # volumes of the contact sheet, and slices that are decoded for it, at most
SIDE = 160


def volumes_page(
    plan: Plan, job: Job, lake: str, paths: Sequence[str], reasons: Mapping[str, int], sums: tuple[Sum, Sum]
) -> str:
    """The report of the run as one HTML page.

    Args:
        paths: data files of `volumes` that the run has written.
        reasons: stacks that are no volume, by reason.
        sums: of series, and of slices.
    """
    pictures = [picture for row in _chosen(job, lake, paths) for picture in _pictures(job, lake, row)]
    series, slices = (ShownSum(one.total_name.capitalize(), one.total_name, one.total, _parts(one)) for one in sums)
    return ingest_report(
        title=f"Volumes of {plan.run_date}",
        subtitle=plan.name,
        facts=(("Run", plan.run_id[:12]), ("Slices used", f"{dict(slices.parts)['used']:,} of {slices.total:,}")),
        total=series,
        reasons=reasons,
        counts={},
        moments=(),
        sheets=(
            Sheet(
                "Volumes",
                [image for image, _ in pictures],
                [caption for _, caption in pictures],
                "Middle slices: axial, coronal, sagittal; true in aspect.",
            ),
        ),
        lineage={"Run": plan.run_id, "Code": plan.code_version, "Recipe SHA-256": plan.recipe_sha256},
    )


def _parts(total: Sum) -> tuple[tuple[str, int], ...]:
    return tuple(total.parts.items())


def _chosen(job: Job, lake: str, paths: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """The first volumes, as long as they are few and small enough to be decoded here."""
    left, number = SLICES, 0
    for path in paths:
        with told(lake):
            whole = pc.field("status") == "volume"
            batches = scan_file(
                job.store, join(table_uri(lake, VOLUMES.name), path), VOLUMES, VOLUMES.schema.names, whole
            )
            for row in (row for batch in batches for row in batch.to_pylist()):
                if number < SHOWN and len(row["slices"]) <= left:
                    left, number = left - len(row["slices"]), number + 1
                    yield row


def _pictures(job: Job, lake: str, row: Mapping[str, Any]) -> Iterator[tuple[Array, str]]:
    """Three pictures of a volume. What cannot be decoded is not shown."""
    try:
        volume = read_volume(job.store, lake, row)
    except Unusable:
        return
    size = " x ".join(map(str, reversed(volume.values.shape)))
    captions = (f"{row['Modality'] or 'no modality'} {size}", f"{volume.spacing_mm[0]:g} mm apart", "")
    yield from zip(middle_slices(volume.values, volume.affine, side=SIDE), captions, strict=True)
