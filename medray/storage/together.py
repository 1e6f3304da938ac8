"""Bringing together the small files of the tables to which every run adds one: `runs` and `audit`.

They are read whole at the beginning of every job: a thousand nights must not be a thousand requests.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pyarrow as pa

from medray.schema.audit import AUDIT
from medray.schema.contract import TableContract
from medray.schema.runs import RUNS
from medray.storage import delta
from medray.storage.chunk_file import read_facts, write_table
from medray.storage.commit import TOGETHER, data_path, run_of, sweep_temporaries
from medray.storage.failures import told
from medray.storage.snapshot import snapshot
from medray.storage.store import Store
from medray.storage.uri import join

FILES = 200  # that one file stands for; each is brought together once


def bring_together(store: Store, lake: str) -> int:
    """Let one file stand for each 200 files of `runs` and `audit`, with the same rows. Readers find the one or
    the others; older versions of the tables name the others still.

    Returns:
        How many files now stand for others.

    Raises:
        PlanError, StorageError: somebody else has done it first, or the store failed: the tables hold
            the same rows as before, and another call does what is left.
    """
    if len(_small_files(store, lake, RUNS)) < FILES:  # nearly always: no row is read for that
        return 0
    runs = snapshot(store, lake).run_ids()
    made = 0
    for contract in (AUDIT, RUNS):  # `runs` last: while it has small files, what is left to do is found
        # What a run without a row has written is shown to nobody, and waits.
        files = [one for one in _small_files(store, lake, contract) if run_of(one.path) in runs]
        for start in range(0, len(files) - FILES + 1, FILES):
            _stand_in(store, lake, contract, files[start : start + FILES])
            made += 1
    return made


def _small_files(store: Store, lake: str, contract: TableContract) -> list[delta.Named]:
    """Of one run each."""
    return [one for one in delta.named_files(store, lake, contract) if run_of(one.path) != TOGETHER]


def _stand_in(store: Store, lake: str, contract: TableContract, files: Sequence[delta.Named]) -> None:
    paths = [one.path for one in files]
    path = data_path(TOGETHER, hashlib.sha256("\n".join(paths).encode()).hexdigest()[:32])
    uri = join(delta.table_uri(lake, contract.name), path)
    with told(lake):
        facts = read_facts(store, uri)
        if facts is None:
            read = delta.scan_files(store, lake, contract, paths, contract.schema.names)
            rows = pa.Table.from_batches((batch for _, batch in read), schema=contract.schema).combine_chunks()
            facts = write_table(store, uri, contract, rows.to_batches(), {})
    sweep_temporaries(store, lake, uri.rsplit("/", 1)[0])  # before it is done: nobody comes back
    modified = max(one.modified for one in files)
    file = delta.NewFile(path, int(facts["file_bytes"]), int(facts["rows"]), modified)
    delta.stand_in(store, lake, contract, file, paths)
