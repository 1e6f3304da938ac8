"""What `[source]` of an `ingest_ehr` recipe may say, without where the archive lies."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from medray.ehr.fhir.config import FhirConfig
from medray.ehr.meds.config import MedsConfig
from medray.ehr.omop.config import OmopConfig
from medray.ehr.tables.config import TablesConfig

RecordsConfig = Annotated[FhirConfig | OmopConfig | MedsConfig | TablesConfig, Field(discriminator="kind")]
