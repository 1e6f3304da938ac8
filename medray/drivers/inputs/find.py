"""Which inputs there are, and which of them a family takes. Key and header columns only."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from medray.drivers.input import DataFile, InputKey
from medray.drivers.inputs import image_inputs, record_inputs
from medray.drivers.inputs.reading import Reading
from medray.errors import RecipeError
from medray.recipes.score import Select
from medray.storage.commit import run_of
from medray.storage.shards import shard_uri
from medray.storage.snapshot import Snapshot

EVERYTHING = Select()


def refuse_modalities(name: str, select: Select, reading: Reading) -> None:
    """Records have none.

    Raises:
        RecipeError: a recipe of that name asks for some of a model that reads records.
    """
    if reading.problem is not None and select.modalities is not None:
        raise RecipeError(
            f"recipe {name}, [select]",
            "modalities for a model that reads records",
            "modalities for a model that reads images",
            "remove them: the model's problem says who is asked about",
        )


def newest_inputs(state: Snapshot, reading: Reading, select: Select = EVERYTHING) -> dict[InputKey, str]:
    """The newest version of every input that is asked for and its data file: a scan of key columns."""
    if reading.problem is None:
        newest = image_inputs.newest(state, select.modalities)
    else:
        newest = record_inputs.newest(state, reading.problem)
    if select.since is None and select.until is None:
        return newest
    dates = dict(zip(state.runs["run_id"].to_pylist(), state.runs["run_date"].to_pylist(), strict=True))
    first, last = select.since or date.min, select.until or date.max
    return {key: path for key, path in newest.items() if first <= dates[run_of(path)] <= last}


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
