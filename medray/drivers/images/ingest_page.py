"""What the report of an ingest shows, gathered from its chunks and its images."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import pyarrow.parquet as pq

from medray.contracts import Array, Source
from medray.dicom.syntaxes import name_of
from medray.drivers.images.ingest_chunk import STANDING
from medray.drivers.job import Job
from medray.engine.chunks import Effort
from medray.errors import Unusable
from medray.planning.accounting import Sum
from medray.report.ingest import Sheet, ingest_report
from medray.report.pace import Moment
from medray.report.sections import Sum as ShownSum
from medray.schema.images import IMAGES
from medray.storage.chunk_file import Facts
from medray.storage.delta import table_uri
from medray.storage.failures import told
from medray.storage.patience import patiently
from medray.storage.plans import Plan
from medray.storage.uri import join

FILES, OF_A_FILE = 6, 3  # pictures of the contact sheet: so many files, and so many rows of each
AT_ONCE, BUFFER_BYTES = 8, 2**20  # rows in memory, and what is read of a column
WORDS = {"modalities": "Modality", "syntaxes": "Transfer syntax", "manufacturers": "Manufacturer"}


class Watch:
    """Notes when each chunk was done and what it cost.

    Attributes:
        moments: of the chunks of this attempt.
        standing: chunks that an earlier attempt had done.
    """

    def __init__(self) -> None:
        self._started = time.monotonic()
        self.moments: list[Moment] = []
        self.standing = 0

    def __call__(self, facts: Facts, effort: Effort) -> None:
        if facts.get(STANDING):
            self.standing += 1
            return
        seconds = time.monotonic() - self._started
        self.moments.append(Moment(seconds, facts["objects"], facts["bytes_read"], effort.peak_bytes))


def ingest_page(
    plan: Plan,
    job: Job,
    lake: str,
    source: Source,
    facts: Sequence[Facts],
    reasons: Mapping[str, int],
    total: Sum,
    watch: Watch,
) -> str:
    """The report of the run as one HTML page."""
    counts: dict[str, Counter[str]] = {word: Counter() for word in WORDS.values()}
    for fact in facts:
        for name, word in WORDS.items():
            for value, number in fact[name].items():
                counts[word][_shown(name, value)] += number
    images = list(_pictures(job, lake, source, [fact["path"] for fact in facts if fact["rows"]]))
    return ingest_report(
        title=f"Ingest of {plan.run_date}",
        subtitle=plan.name,
        facts=(
            ("Run", plan.run_id[:12]),
            ("Megabytes read", f"{sum(f['bytes_read'] for f in facts) / 1e6:,.0f}"),
            *((("Chunks of an earlier attempt", str(watch.standing)),) if watch.standing else ()),
        ),
        total=ShownSum("Listed", total.total_name, total.total, tuple(total.parts.items())),
        reasons=reasons,
        counts=counts,
        moments=watch.moments,
        sheets=(
            Sheet("Images", [image for image, _ in images], [caption for _, caption in images], "A few of the new."),
        ),
        lineage={"Run": plan.run_id, "Code": plan.code_version, "Recipe SHA-256": plan.recipe_sha256},
    )


def _shown(name: str, value: str) -> str:
    return name_of(value) if name == "syntaxes" else value


def _pictures(job: Job, lake: str, source: Source, paths: Sequence[str]) -> Iterator[tuple[Array, str]]:
    """Rows spread over the files, each with its modality. What cannot be decoded is not shown."""
    for path in paths[:: max(len(paths) // FILES, 1)][:FILES]:
        with told(lake):
            uri = join(table_uri(lake, IMAGES.name), path)
            rows = patiently(uri, partial(_spread_rows, job, uri))
        for row in rows:
            try:
                yield source.show(row), f"{row['Modality'] or 'no modality'} {row['Columns']} x {row['Rows']}"
            except Unusable:
                continue


def _spread_rows(job: Job, uri: str) -> list[dict[str, Any]]:
    """A few rows of the first row group, far from each other; of the group never more than some rows in memory."""
    with job.store.arrow(uri).open_input_file(job.store.path(uri)) as stream:
        file = pq.ParquetFile(stream, buffer_size=BUFFER_BYTES, pre_buffer=False)
        last = file.metadata.row_group(0).num_rows - 1
        places = sorted({round(step * last / max(OF_A_FILE - 1, 1)) for step in range(OF_A_FILE)})
        first, rows = 0, []
        for batch in file.iter_batches(AT_ONCE, row_groups=[0]):
            here = [place - first for place in places if first <= place < first + len(batch)]
            rows += [batch.slice(place, 1).to_pylist()[0] for place in here]
            first += len(batch)
        return rows
