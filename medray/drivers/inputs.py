"""Which images there are, and which of them a family takes. Key and header columns only."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from medray.contracts import Family
from medray.schema.images import HEADER_COLUMNS, IMAGES
from medray.storage.delta import scan_file, table_uri
from medray.storage.failures import told
from medray.storage.shards import prepare_hash, shard_uri
from medray.storage.snapshot import Snapshot
from medray.storage.uri import join

InputKey = tuple[str, int]  # SOPInstanceUID, input_version


@dataclass(frozen=True, slots=True)
class Input:
    """One image in a data file.

    Attributes:
        reason: why the family does not take it; None when it does.
    """

    uid: str
    input_version: int
    subject_id: int
    study_uid: str
    source_key: str
    reason: str | None

    @property
    def key(self) -> InputKey:
        return (self.uid, self.input_version)


@dataclass(frozen=True)
class DataFile:
    """One data file of `images`, its inputs in order, and where its shard lies."""

    path: str
    inputs: tuple[Input, ...]
    shard: str

    def accepted(self) -> list[Input]:
        return [item for item in self.inputs if item.reason is None]


def newest_inputs(state: Snapshot, modalities: Collection[str] | None = None) -> dict[InputKey, str]:
    """The newest version of every image and its data file: a scan of key columns."""
    newest: dict[str, InputKey] = {}
    where: dict[InputKey, str] = {}
    for path in state.files(IMAGES):
        with told(state.lake):
            for batch in scan_file(
                state.store, _uri(state, path), IMAGES, ("SOPInstanceUID", "input_version", "Modality")
            ):
                for uid, version, modality in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                    if modalities is not None and modality not in modalities:
                        continue
                    if uid not in newest or newest[uid][1] < version:
                        where.pop(newest.get(uid, (uid, version)), None)
                        newest[uid] = (uid, version)
                        where[uid, version] = path
    return where


def read_inputs(state: Snapshot, paths: Iterable[str], family: Family, config: Any) -> list[DataFile]:
    """The inputs of some data files with the family's verdicts, from header columns."""
    hashed = prepare_hash(family.name, family.prepare_key(config))
    files = []
    for path in sorted(set(paths)):
        inputs: list[Input] = []
        with told(state.lake):
            for batch in scan_file(state.store, _uri(state, path), IMAGES, HEADER_COLUMNS):
                for row in batch.to_pylist():
                    if row["part_index"] == 0:
                        refusal = family.accepts(row, config)
                        inputs.append(
                            Input(
                                row["SOPInstanceUID"],
                                row["input_version"],
                                row["subject_id"],
                                row["StudyInstanceUID"],
                                row["source_key"],
                                refusal.reason if refusal else None,
                            )
                        )
        accepted = [item.key for item in inputs if item.reason is None]
        files.append(DataFile(path, tuple(inputs), shard_uri(state.lake, family.name, hashed, path, accepted)))
    return files


def _uri(state: Snapshot, path: str) -> str:
    return join(table_uri(state.lake, IMAGES.name), path)
