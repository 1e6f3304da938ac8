"""What a MEDS export is to hold: frozen in its target before anything else is written there, so
that a killed export is continued and another one is never mixed in."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import UTC

from medray.code_version import code_version
from medray.errors import MedrayError, PlanError, RecipeError, StorageError
from medray.schema.events import EVENTS
from medray.storage.commit import run_of
from medray.storage.failures import told
from medray.storage.snapshot import Snapshot, newest
from medray.storage.store import TEMPORARY, Store
from medray.storage.uri import join

PLAN = "metadata/medray_export.json"


@dataclass(frozen=True)
class Asked:
    """What a person asks for: the dataset's name, and the split that a train recipe declares.

    Raises:
        RecipeError: shares that no train recipe may have.
    """

    name: str
    salt: str
    tuning: float
    held_out: float

    def __post_init__(self) -> None:
        if min(self.tuning, self.held_out) <= 0 or self.tuning + self.held_out >= 1:
            raise RecipeError(
                "--tuning and --held-out",
                f"{self.tuning:g} and {self.held_out:g}",
                "shares above 0 that together leave subjects to train on, as in a train recipe's [split]",
                "give the values of the train recipe",
            )


@dataclass(frozen=True)
class MedsExport:
    """One export.

    Attributes:
        asked: name and split.
        runs: the runs whose events it holds, ordered by id.
        newest_run: the last of them to be committed, and `created_at` when that was (ISO 8601, UTC).
        code_version: of the medray that began the export; not part of what it is.
    """

    asked: Asked
    runs: tuple[str, ...]
    newest_run: str
    created_at: str
    code_version: str

    def document(self) -> bytes:
        return json.dumps(asdict(self), sort_keys=True, indent=1).encode()

    @staticmethod
    def of(document: bytes) -> MedsExport:
        fields = json.loads(document)
        return MedsExport(**{**fields, "asked": Asked(**fields["asked"]), "runs": tuple(fields["runs"])})


def planned(state: Snapshot, asked: Asked) -> MedsExport:
    """The export of all events of a snapshot.

    Raises:
        PlanError: there are none.
    """
    runs = sorted({run_of(path) for path in state.files(EVENTS)})
    if not runs:
        raise PlanError(
            f"lake {state.lake}", "no events", "an ingested record archive", "run an ingest_ehr recipe first"
        )
    (last, *_) = (row for row in newest(state.runs).to_pylist() if row["run_id"] in runs)
    created_at = last["committed_at"].replace(tzinfo=UTC).isoformat()
    return MedsExport(asked, tuple(runs), last["run_id"], created_at, code_version())


def freeze(store: Store, target: str, wanted: MedsExport) -> MedsExport:
    """Write the plan into an empty target. Returns the one that stands there: `wanted`, or what an
    earlier attempt began with, perhaps on an older state of the lake.

    Raises:
        StorageError: the target holds anything else.
    """
    uri = join(target, PLAN)
    with told(target):
        if not store.exists(uri):
            if standing(store, target):
                raise occupied(target, "files of something else")
            store.put_if_absent(uri, wanted.document())
        try:
            stands = MedsExport.of(store.read(uri))
        except (ValueError, TypeError, KeyError, MedrayError) as error:
            raise occupied(target, f"a {PLAN} that this medray cannot read") from error
    if stands.asked != wanted.asked:
        raise occupied(target, "an export with another name or split")
    if not set(stands.runs) <= set(wanted.runs):
        raise occupied(target, "an export of another lake")
    return stands


def standing(store: Store, target: str) -> set[str]:
    """Paths of all files in the target, relative to it; no temporaries."""
    return {path for path in _listed(store, target) if not _is_temporary(path)}


def sweep(store: Store, target: str, shards: Collection[str]) -> None:
    """Remove what killed attempts left, once all shards are there.

    Raises:
        StorageError: the data folder holds a file that is no shard of this export.
    """
    with told(target):
        found = _listed(store, target)
        for path in found:
            if _is_temporary(path):
                store.delete(join(target, path))
    foreign = {path for path in found if path.startswith("data/") and not _is_temporary(path)} - set(shards)
    if foreign:
        raise occupied(target, f"{len(foreign)} file(s) in data/ that are not of this export")


def _listed(store: Store, target: str) -> list[str]:
    try:
        return [item.uri.removeprefix(join(target, "")) for item in store.walk(target)]
    except FileNotFoundError:
        return []


def _is_temporary(path: str) -> bool:
    return path.rsplit("/", 1)[-1].startswith(TEMPORARY)


def occupied(target: str, found: str) -> StorageError:
    """The refusal of a target that holds something else."""
    return StorageError(f"target {target}", found, "an empty folder, or this very export", "name another folder")
