"""The `tables` source, assembled."""

from __future__ import annotations

from medray.contracts import RecordSource
from medray.ehr.tables.source import lookups, parts, read, subjects, table_of

SOURCE = RecordSource(name="tables", table_of=table_of, parts=parts, read=read, lookups=lookups, subjects=subjects)
