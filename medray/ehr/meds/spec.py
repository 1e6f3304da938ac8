"""The `meds` source, assembled."""

from __future__ import annotations

from medray.contracts import RecordSource
from medray.ehr.lookups import no_lookups
from medray.ehr.meds.source import parts, read, subjects, table_of

SOURCE = RecordSource(name="meds", table_of=table_of, parts=parts, read=read, lookups=no_lookups, subjects=subjects)
