"""The `omop` source: the standard's tables by name, read by the mapping that it implies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from medray.contracts import RecordFile, Records
from medray.ehr.omop.config import OmopConfig
from medray.ehr.omop.mapping import TABLES, mapping
from medray.ehr.tables import source as tables
from medray.ehr.tables.config import Crosswalk

_ENDINGS = (".csv", ".tsv", ".parquet", ".csv.gz", ".tsv.gz", ".csv.bz2", ".csv.zst")


def table_of(name: str, config: OmopConfig) -> str | None:
    """The table that the file's name or its folder's says, in any case: `MEASUREMENT.csv.gz`,
    `measurement/part-0.parquet`."""
    path = PurePosixPath(name.lower())
    if not path.name.endswith(_ENDINGS):
        return None
    return next((word for word in (path.name.split(".")[0], path.parent.name) if word in TABLES), None)


def parts(file: RecordFile, table: str, config: OmopConfig) -> int:
    """Row groups of a Parquet file, small ones together; 1 for text."""
    return tables.parts(file, table, mapping(config))


def read(file: RecordFile, table: str, part: int, config: OmopConfig, found: None = None) -> Iterator[Records]:
    """The records of one part of one table. Raises `Unusable` as the `tables` source does."""
    return tables.read(file, table, part, mapping(config))


def subjects(files: Sequence[RecordFile], config: OmopConfig) -> Mapping[str, str] | None:
    """`person_id` -> the shared identifier in `person`, where the recipe names it."""
    if config.subject == "person_id":
        return None
    persons = [file for file in files if table_of(file.name, config) == "person"]
    way = Crosswalk(
        files=("*",), subject="person_id", shared=config.subject, integers=("person_id",), delimiter=config.delimiter
    )
    return tables.subjects(persons, mapping(config).model_copy(update={"subjects": way}))
