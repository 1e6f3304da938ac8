"""Which resource type a file holds, by the names that servers and downloaders give.

`Patient.ndjson`, `Patient.000.ndjson`, `1.Patient.ndjson.gz`, `Patient-0-of-4.ndjson`, `patients.jsonl`,
`Patient/part-0.ndjson`, `MimicObservationLabevents.ndjson.gz`.
"""

from __future__ import annotations

import re

from medray.ehr.fhir.config import FhirConfig
from medray.ehr.fhir.kinds import TYPES

_NDJSON = re.compile(r".+\.(ndjson|jsonl)(\.gz)?", re.IGNORECASE)
_NAMES = "|".join(TYPES)
_WORD = re.compile(rf"(?<![a-z])({_NAMES})s?(?![a-z])", re.IGNORECASE)
_MIMIC = re.compile(rf"Mimic({_NAMES})(?![a-z])[A-Za-z]*\.")
_SPELLED = {name.lower(): name for name in TYPES}


def table_of(name: str, config: FhirConfig) -> str | None:
    """The resource type in the file's own name, else in that of the nearest folder that has one.

    None for files that are no NDJSON and for types that are not read.
    """
    *folders, own = name.split("/")
    if not _NDJSON.fullmatch(own):
        return None
    for part in (own, *reversed(folders)):
        found = _WORD.search(part) or _MIMIC.match(part)
        if found:
            return _SPELLED[found.group(1).lower()]
    return None
