"""Which files a table's versions name: what a reader of any of them needs."""

from __future__ import annotations

from medray.errors import StorageError
from medray.schema.contract import TableContract
from medray.storage import delta
from medray.storage.failures import told
from medray.storage.store import Store
from medray.storage.table_log import read_entry
from medray.storage.uri import join


def named_since(store: Store, lake: str, contract: TableContract, oldest: int) -> set[str] | None:
    """Paths that the version `oldest` or any later one names, relative to the table's folder; none where there
    is no table. None where the log does not reach back so far: then nobody knows.
    """
    table = delta.open_table(store, lake, contract)
    if table is None:
        return set()
    try:
        named = set(delta.file_rows(store, lake, contract, oldest))
    except StorageError:
        return None
    log = join(delta.table_uri(lake, contract.name), "_delta_log")
    with told(lake):
        for version in range(oldest + 1, int(table.version()) + 1):
            try:
                entry = store.read(join(log, f"{version:020d}.json"))
            except FileNotFoundError:
                return None
            named.update(read_entry(version, entry).added)
    return named
