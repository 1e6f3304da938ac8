"""Which inputs there are, and which of them a family takes. Key and header columns only."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from medray.drivers.input import DataFile, InputKey
from medray.drivers.inputs import image_inputs, record_inputs
from medray.drivers.inputs.reading import Reading
from medray.storage.shards import shard_uri
from medray.storage.snapshot import Snapshot


def newest_inputs(state: Snapshot, reading: Reading, modalities: Collection[str] | None = None) -> dict[InputKey, str]:
    """The newest version of every input and its data file: a scan of key columns.

    Args:
        modalities: of the images that are asked for; None for all.
    """
    if reading.problem is None:
        return image_inputs.newest(state, modalities)
    return record_inputs.newest(state, reading.problem)


def read_inputs(state: Snapshot, paths: Iterable[str], reading: Reading) -> list[DataFile]:
    """The inputs of some data files with the family's verdicts, from header columns."""
    read = image_inputs.read if reading.problem is None else record_inputs.read
    files = []
    for path in sorted(set(paths)):
        inputs = read(state, path, reading)
        accepted = [item.key for item in inputs if item.reason is None]
        shard = shard_uri(state.lake, reading.family.name, reading.hash, path, accepted)
        files.append(DataFile(path, tuple(inputs), shard))
    return files
