"""The `fhir` record source, assembled."""

from __future__ import annotations

from medray.contracts import RecordFile, RecordSource
from medray.ehr.fhir.config import FhirConfig
from medray.ehr.fhir.files import table_of
from medray.ehr.fhir.read import read
from medray.ehr.fhir.subjects import subjects
from medray.ehr.lookups import no_lookups


def parts(file: RecordFile, table: str, config: FhirConfig) -> int:
    """1: the number of a line is known only when all lines before it are."""
    return 1


SOURCE = RecordSource(name="fhir", table_of=table_of, parts=parts, read=read, lookups=no_lookups, subjects=subjects)
