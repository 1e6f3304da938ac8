"""The metadata of a MEDS export: codes, splits of subjects, and `dataset.json`, which comes last."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from medray.contracts import Array
from medray.drivers.export.meds_chunk import shard_path
from medray.drivers.export.meds_plan import MedsExport, standing, sweep
from medray.planning.buckets import buckets
from medray.planning.splits import SPLITS
from medray.schema.contract import TableContract
from medray.storage.chunk_file import Facts, write_table
from medray.storage.failures import told
from medray.storage.store import Store
from medray.storage.uri import join

MEDS_VERSION = "0.4.1"
DATASET = "metadata/dataset.json"
_ROWS = 1_000_000  # of a row group

CODES = TableContract(
    name="metadata/codes.parquet",
    version=1,
    schema=pa.schema(
        [
            pa.field("code", pa.string(), nullable=False),
            pa.field("description", pa.string()),
            pa.field("parent_codes", pa.list_(pa.string())),
        ]
    ),
    key=("code",),
    statistics=(),
)
SUBJECT_SPLITS = TableContract(
    name="metadata/subject_splits.parquet",
    version=1,
    schema=pa.schema(
        [pa.field("subject_id", pa.int64(), nullable=False), pa.field("split", pa.string(), nullable=False)]
    ),
    key=("subject_id",),
    statistics=("subject_id",),
)


class Written:
    """What the finished buckets of an export hold together."""

    def __init__(self) -> None:
        self.events = 0
        self.rows: Counter[str] = Counter(dict.fromkeys(SPLITS, 0))
        self.codes: set[str] = set()
        self._subjects: list[Array] = []
        self._splits: list[Array] = []

    def add(self, facts: Facts) -> None:
        """Take in a bucket's facts."""
        self.events += facts["events"]
        self.rows.update(facts["rows"])
        self.codes.update(facts["codes"])
        for number, name in enumerate(SPLITS):
            subjects = np.array(facts["subjects"][name], np.int64)
            self._subjects.append(subjects)
            self._splits.append(np.full(len(subjects), number, np.int8))

    @cached_property
    def subject_splits(self) -> pa.Table:
        """Rows of `SUBJECT_SPLITS`, by subject; asked for when all buckets are in."""
        subjects, splits = np.concatenate(self._subjects), np.concatenate(self._splits)
        order = np.argsort(subjects)
        names = pa.array(SPLITS).take(pa.array(splits[order]))
        return pa.Table.from_arrays([pa.array(subjects[order]), names], schema=SUBJECT_SPLITS.schema)

    def code_rows(self) -> pa.Table:
        """Rows of `CODES`, by code."""
        codes = pa.array(sorted(self.codes), pa.string())
        unknown = [pa.nulls(len(codes), field.type) for field in CODES.schema][1:]
        return pa.Table.from_arrays([codes, *unknown], schema=CODES.schema)


def shards(subject_splits: pa.Table, n: int) -> set[str]:
    """The paths of the shards of an export in n buckets: where its subjects lie."""
    parts = buckets(n)
    place = np.searchsorted(np.array([bucket.hi for bucket in parts]), subject_splits["subject_id"].to_numpy())
    return {
        shard_path(split, parts[number])
        for split in SPLITS
        for number in np.unique(place[pc.equal(subject_splits["split"], split).to_numpy()])
    }


def is_finished(store: Store, target: str, n: int) -> bool:
    """Whether every file of the export is there."""
    found = standing(store, target)
    if not {DATASET, CODES.name, SUBJECT_SPLITS.name} <= found:
        return False
    with told(target):
        uri = join(target, SUBJECT_SPLITS.name)
        with store.arrow(uri).open_input_file(store.path(uri)) as stream:
            return shards(pq.read_table(stream), n) <= found


def write_metadata(store: Store, target: str, plan: MedsExport, written: Written, n: int) -> None:
    """Write what is missing of the metadata, once all shards are there.

    Raises:
        StorageError: the data folder holds a file that is no shard of this export.
    """
    with told(target):
        for contract, rows in ((CODES, written.code_rows()), (SUBJECT_SPLITS, written.subject_splits)):
            write_table(store, join(target, contract.name), contract, _row_groups(rows), {})
        sweep(store, target, shards(written.subject_splits, n))
        store.put_if_absent(join(target, DATASET), json.dumps(dataset(plan), indent=1).encode())


def dataset(plan: MedsExport) -> dict[str, str | list[str]]:
    """`DatasetMetadataSchema` of meds 0.4: the same for every attempt at one export."""
    return {
        "dataset_name": plan.asked.name,
        "dataset_version": plan.newest_run,
        "etl_name": "medray",
        "etl_version": plan.code_version,
        "meds_version": MEDS_VERSION,
        "created_at": plan.created_at,
        "code_modifier_columns": ["unit"],
        "other_extension_columns": ["encounter_key"],
    }


def _row_groups(rows: pa.Table) -> Iterator[pa.RecordBatch]:
    yield from rows.combine_chunks().to_batches(max_chunksize=_ROWS)
