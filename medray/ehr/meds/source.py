"""MEDS 0.4 data shards to records (https://github.com/Medical-Event-Data-Standard/meds)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from medray.contracts import RecordFile, Records
from medray.ehr.meds.config import MedsConfig
from medray.ehr.tables import source as tables
from medray.ehr.tables.config import Event, Table, TablesConfig, TimeColumn

_DATA = "data"
_SHARDS = TablesConfig(
    kind="tables",
    tables=(
        Table(
            name=_DATA,
            files=("*.parquet",),
            subject="subject_id",
            optional=("numeric_value", "text_value", "unit"),
            events=(
                Event(
                    code=("{code}",),
                    time=(TimeColumn(column="time"),),
                    time_required=False,
                    value="numeric_value",
                    text="text_value",
                    value_required=False,
                    unit=("{unit}",),
                ),
            ),
        ),
    ),
)


def table_of(name: str, config: MedsConfig) -> str | None:
    """ "data" for a Parquet file anywhere below a folder `data`."""
    path = PurePosixPath(name)
    return _DATA if path.suffix == ".parquet" and _DATA in path.parts[:-1] else None


def parts(file: RecordFile, table: str, config: MedsConfig) -> int:
    """Its row groups, small ones together."""
    return tables.parts(file, table, _SHARDS)


def read(file: RecordFile, table: str, part: int, config: MedsConfig, found: None = None) -> Iterator[Records]:
    """The events of a shard as they are; a null time is a static fact. Raises `Unusable`."""
    return tables.read(file, table, part, _SHARDS)


def subjects(files: Sequence[RecordFile], config: MedsConfig) -> None:
    """`subject_id` is the identifier."""
