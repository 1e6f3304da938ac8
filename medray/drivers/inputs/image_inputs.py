"""Images as inputs: one SOP instance is one input."""

from __future__ import annotations

from collections.abc import Collection

from medray.drivers.input import Input, InputKey
from medray.drivers.inputs.reading import Reading
from medray.schema.images import HEADER_COLUMNS, IMAGES
from medray.storage.delta import scan_file, table_uri
from medray.storage.failures import told
from medray.storage.snapshot import Snapshot
from medray.storage.uri import join


def newest(state: Snapshot, modalities: Collection[str] | None) -> dict[InputKey, str]:
    """The newest version of every image and its data file."""
    found: dict[str, InputKey] = {}
    where: dict[InputKey, str] = {}
    columns = ("SOPInstanceUID", "input_version", "Modality")
    for path in state.files(IMAGES):
        with told(state.lake):
            for batch in scan_file(state.store, _uri(state, path), IMAGES, columns):
                for uid, version, modality in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                    if modalities is not None and modality not in modalities:
                        continue
                    if uid not in found or found[uid][1] < version:
                        where.pop(found.get(uid, (uid, version)), None)
                        found[uid] = (uid, version)
                        where[uid, version] = path
    return where


def read(state: Snapshot, path: str, reading: Reading) -> list[Input]:
    """The images of one data file with the family's verdicts."""
    inputs: list[Input] = []
    with told(state.lake):
        for batch in scan_file(state.store, _uri(state, path), IMAGES, HEADER_COLUMNS):
            for row in batch.to_pylist():
                if row["part_index"] == 0:
                    refusal = reading.family.accepts(row, reading.config)
                    inputs.append(
                        Input(
                            row["SOPInstanceUID"],
                            row["input_version"],
                            row["subject_id"],
                            row["StudyInstanceUID"],
                            row["source_key"],
                            None,
                            refusal.reason if refusal else None,
                        )
                    )
    return inputs


def _uri(state: Snapshot, path: str) -> str:
    return join(table_uri(state.lake, IMAGES.name), path)
