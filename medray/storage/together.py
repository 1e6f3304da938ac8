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
from medray.storage.snapshot import Snapshot
from medray.storage.uri import join

FILES = 200  # that one file stands for; each is brought together once


def bring_together(state: Snapshot) -> int:
    """Let one file stand for each 200 files of `runs` and `audit`, with the same rows. Readers find the one or
    the others; older versions of the tables name the others still.

    Returns:
        How many files now stand for others.

    Raises:
        PlanError, StorageError: somebody else has done it first, or the store failed: the tables hold
            the same rows as before, and another call does what is left.
    """
    if len(_small_files(state, RUNS)) < FILES:
        return 0
    made = 0
    for contract in (AUDIT, RUNS):  # `runs` last: while it has small files, what is left to do is found
        files = _small_files(state, contract)
        for start in range(0, len(files) - FILES + 1, FILES):
            _stand_in(state, contract, files[start : start + FILES])
            made += 1
    return made


def _small_files(state: Snapshot, contract: TableContract) -> list[delta.Named]:
    """Of one committed run each. What a run without a row has written is shown to nobody, and waits."""
    runs = state.run_ids()
    return [one for one in delta.named_files(state.store, state.lake, contract) if run_of(one.path) in runs]


def _stand_in(state: Snapshot, contract: TableContract, files: Sequence[delta.Named]) -> None:
    paths = [one.path for one in files]
    path = data_path(TOGETHER, hashlib.sha256("\n".join(paths).encode()).hexdigest()[:32])
    uri = join(delta.table_uri(state.lake, contract.name), path)
    with told(state.lake):
        facts = read_facts(state.store, uri)
        if facts is None:
            read = delta.scan_files(state.store, state.lake, contract, paths, contract.schema.names)
            rows = pa.Table.from_batches((batch for _, batch in read), schema=contract.schema).combine_chunks()
            facts = write_table(state.store, uri, contract, rows.to_batches(), {})
    sweep_temporaries(state.store, state.lake, uri.rsplit("/", 1)[0])  # before it is done: nobody comes back
    modified = max(one.modified for one in files)
    file = delta.NewFile(path, int(facts["file_bytes"]), int(facts["rows"]), modified)
    delta.stand_in(state.store, state.lake, contract, file, paths)
