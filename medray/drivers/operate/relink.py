"""`medray relink`: predictions leave the lake with the identifiers that they had, for who may read the linkage table.

What is given out stands in `audit` before anything identifying is written.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from medray.drivers.job import Job, act_plan
from medray.drivers.operate.originals import pseudonyms_in, with_originals
from medray.drivers.pseudonyms import pseudonyms_of
from medray.errors import QuestionError
from medray.recipes.ingest import Archive
from medray.recipes.ingest_ehr import RecordsRecipe
from medray.recipes.recipe import Recipe
from medray.schema.images import IMAGES
from medray.schema.predictions import PREDICTIONS
from medray.storage.audit import Event
from medray.storage.commit import Outcome, commit_run
from medray.storage.failures import told
from medray.storage.lake import Identity, claim
from medray.storage.linkage import links_among
from medray.storage.plans import now, write_plan
from medray.storage.snapshot import Snapshot, snapshot
from medray.storage.store import LINKAGE
from medray.storage.uri import is_s3, normalise

JOB = "relink"
_WRITERS: dict[str, Callable[[pa.Table, str], None]] = {".parquet": pq.write_table, ".csv": pacsv.write_csv}


@dataclass(frozen=True)
class Chosen:
    """Which predictions; None: any.

    Attributes:
        run: the beginning of a `run_id`.
        since, until: run dates, both among them.
        model: a model's name, or the beginning of a `model_sha256`.
    """

    run: str | None = None
    since: date | None = None
    until: date | None = None
    label: str | None = None
    model: str | None = None

    def where(self) -> pc.Expression | None:
        """The rows of `predictions` that are meant."""
        field, parts = pc.field, []
        if self.run is not None:
            parts.append(pc.starts_with(field("run_id"), self.run))
        if self.since is not None:
            parts.append(field("run_date") >= pa.scalar(self.since))
        if self.until is not None:
            parts.append(field("run_date") <= pa.scalar(self.until))
        if self.label is not None:
            parts.append(field("label") == self.label)
        if self.model is not None:
            parts.append((field("model_name") == self.model) | pc.starts_with(field("model_sha256"), self.model))
        whole = None
        for part in parts:
            whole = part if whole is None else whole & part
        return whole


@dataclass(frozen=True)
class Given:
    """What was given out. `without`: rows that lack an original that they could have."""

    rows: int
    subjects: int
    without: int
    run_id: str


def relink(recipe: Recipe, output: str, chosen: Chosen, job: Job, *, dates: bool = True) -> Given:
    """Write the chosen predictions with their originals to `output` (.parquet or .csv).

    Args:
        recipe: of the ingest: it names the lake, the linkage table and the key.
        dates: with true prediction times, for which the key must be readable here.

    Raises:
        QuestionError: there is nothing to link with, nothing chosen, or the place is not allowed.
        StorageError: the linkage table cannot be read with these credentials; nothing was written.
    """
    linkage, place = _linkage(recipe), normalise(output)
    write = _writer(place, recipe.lake)
    pseudonyms = pseudonyms_of(recipe.deidentify) if dates else None  # type: ignore[attr-defined]
    state = snapshot(job.store, recipe.lake)
    rows = state.table(PREDICTIONS, where=chosen.where())
    if not rows.num_rows:
        raise QuestionError(
            f"lake {recipe.lake}", "no prediction that was chosen", "one or more", "look at --run, --since, --label"
        )
    if pseudonyms is not None:
        claim(job.store, recipe.lake, Identity(pseudonyms.fingerprint, pseudonyms.identified))
    objects = _objects(state, rows)
    links = links_among(linkage, pseudonyms_in(rows) | set(objects.values()))
    if not links:
        raise QuestionError(
            f"linkage table {linkage}",
            "none of the originals of the chosen predictions",
            "the linkage table of this lake",
            "correct [linkage] uri; what was ingested without a linkage table has no way back",
        )
    found = with_originals(rows, links, objects, pseudonyms.shift_days if pseudonyms else None)
    given = Given(rows.num_rows, len(rows["subject_id"].unique()), found.without, "")
    run_id = _audited(recipe, chosen, given, dates, state, job)
    _publish(found.rows, place, write)
    return Given(given.rows, given.subjects, given.without, run_id)


def _linkage(recipe: Recipe) -> str:
    if not isinstance(recipe, Archive | RecordsRecipe) or recipe.linkage is None:
        raise QuestionError(
            f"recipe {recipe.name}",
            "no [linkage]",
            "the ingest or nightly recipe that wrote the lake with a linkage table",
            "a lake that was ingested without one has no way back; an identified lake needs none",
        )
    if is_s3(recipe.linkage.uri) and not LINKAGE.variable("AWS_ACCESS_KEY_ID"):
        raise QuestionError(
            f"linkage table {recipe.linkage.uri}",
            "no credentials of its own",
            "MEDRAY_LINKAGE_AWS_ACCESS_KEY_ID and MEDRAY_LINKAGE_AWS_SECRET_ACCESS_KEY in the environment",
            "ask who keeps the linkage table; the lake's credentials are not tried",
        )
    return str(recipe.linkage.uri)


def _writer(place: str, lake: str) -> Callable[[pa.Table, str], None]:
    here, lakes = (one if is_s3(one) else str(Path(one).resolve()) for one in (place, lake))
    if here == lakes or here.startswith(lakes + "/"):
        raise QuestionError(
            "output", "a place inside the lake", "a place outside of it: identifiers never enter a lake", "name another"
        )
    write = next((one for ending, one in _WRITERS.items() if place.endswith(ending)), None)
    if write is None:
        raise QuestionError("output", "a name without a known ending", " or ".join(_WRITERS), "name it so")
    with told("output"):
        if LINKAGE.exists(place):
            raise QuestionError("output", "a file that stands there", "a new file", "name another, or move it away")
    return write


def _objects(state: Snapshot, rows: pa.Table) -> dict[tuple[str, int], str]:
    """(SOPInstanceUID, input_version) -> `source_key` of the images among the rows."""
    uids = rows["SOPInstanceUID"].drop_null().unique()
    if not len(uids):
        return {}
    columns = ("SOPInstanceUID", "input_version", "source_key")
    where = pc.field("SOPInstanceUID").isin(uids) & (pc.field("part_index") == 0)
    return {
        (row["SOPInstanceUID"], row["input_version"]): row["source_key"]
        for batch in state.scan(IMAGES, columns, where)
        for row in batch.to_pylist()
    }


def _audited(recipe: Recipe, chosen: Chosen, given: Given, dates: bool, state: Snapshot, job: Job) -> str:
    """Commit what will be given out, in a run of its own: each time is another run. Returns its id."""
    at = now()
    about: dict[str, Any] = {name: str(value) for name, value in asdict(chosen).items() if value is not None}
    facts = {
        "chosen": about,
        "rows": given.rows,
        "subjects": given.subjects,
        "without_original": given.without,
        "true_dates": dates,
        "at": at.isoformat(),
    }
    plan = act_plan(JOB, recipe.name, JOB, job, facts, tables_read=state.versions, planned_at=at)
    counts = {"rows": given.rows, "subjects": given.subjects, "without_original": given.without}
    event = Event(JOB, recipe.name, None, facts)
    commit_run(job.store, recipe.lake, write_plan(job.store, recipe.lake, plan), Outcome(counts, events=[event]))
    return plan.run_id


def _publish(rows: pa.Table, place: str, write: Callable[[pa.Table, str], None]) -> None:
    """The file appears whole, and for its owner alone."""
    with told("output"):
        spooled = LINKAGE.spool(place)
        try:
            os.close(os.open(spooled, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600))
            write(rows, spooled)
            stood = not LINKAGE.publish(spooled, place)
        finally:
            Path(spooled).unlink(missing_ok=True)
    if stood:
        raise QuestionError("output", "a file that somebody wrote meanwhile", "a new file", "name another")
