"""Who and what an instance is: original identifiers, read once and turned into pseudonyms."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from medray.contracts import Link
from medray.dicom.config import DicomConfig
from medray.dicom.header import Header
from medray.dicom.values import moment, term, text, uid
from medray.errors import Unusable
from medray.privacy.pseudonyms import Pseudonyms

AGE = re.compile(r"([0-9]{3})([DWMY])")
UNITS_A_YEAR = {"D": 365.25, "W": 365.25 / 7, "M": 12, "Y": 1}
OLDEST = 90.0
SEXES = ("M", "F", "O")
DEVICE = ("Manufacturer", "ManufacturerModelName", "StationName", "DeviceSerialNumber")


@dataclass(frozen=True, repr=False)
class Identity:
    """Original identifiers of one instance. Never printed, never written but as a `Link`."""

    issuer: str
    subject: str
    study: str
    series: str
    instance: str


def read_identity(header: Header, config: DicomConfig) -> Identity:
    """The identifiers of an instance.

    Raises:
        Unusable: missing_uid, missing_subject.
    """
    study, series, instance = (
        _uid(header, keyword) for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
    )
    if config.subject == "image":
        return Identity("", instance, study, series, instance)
    subject = text(header, "PatientID")
    if not subject:
        raise Unusable("missing_subject", "PatientID absent")
    return Identity(text(header, "IssuerOfPatientID"), subject, study, series, instance)


def _uid(header: Header, keyword: str) -> str:
    found = uid(header, keyword)
    if found is None:
        raise Unusable("missing_uid", keyword)
    return found


def pseudonymous(header: Header, identity: Identity, pseudonyms: Pseudonyms, characteristics: bool) -> dict[str, Any]:
    """The columns of `images` that hold pseudonyms, shifted dates and, where the recipe retains them,
    `characteristics` of the patient."""
    subject = pseudonyms.subject_id(identity.issuer, identity.subject)
    institution = text(header, "InstitutionName")
    device = [text(header, keyword) for keyword in DEVICE]
    frame = uid(header, "FrameOfReferenceUID")

    def shifted(date_keyword: str, time_keyword: str) -> datetime | None:
        """As the subject's dates are moved; none before the calendar begins."""
        found = moment(header, date_keyword, time_keyword)
        return None if found is None or found.year < 2 else pseudonyms.shift(subject, found)

    return {
        "subject_id": subject,
        "StudyInstanceUID": pseudonyms.uid(identity.study),
        "SeriesInstanceUID": pseudonyms.uid(identity.series),
        "SOPInstanceUID": pseudonyms.uid(identity.instance),
        "site_key": pseudonyms.site_key(institution) if institution else None,
        "scanner_key": pseudonyms.scanner_key(*device) if any(device) else None,
        "FrameOfReferenceUID": pseudonyms.uid(frame) if frame else None,
        "study_time": shifted("StudyDate", "StudyTime"),
        "acquisition_time": shifted("AcquisitionDate", "AcquisitionTime"),
        "PatientSex": term(header, "PatientSex", SEXES) if characteristics else None,
        "age_years": _age_years(header) if characteristics else None,
    }


def _age_years(header: Header) -> float | None:
    """Patient's Age, or the age at the study in whole years (months below one); 90 for all beyond 89."""
    found = AGE.fullmatch(text(header, "PatientAge"))
    if found:
        return min(int(found[1]) / UNITS_A_YEAR[found[2]], OLDEST)
    born, studied = moment(header, "PatientBirthDate", ""), moment(header, "StudyDate", "")
    if born is None or studied is None or studied < born:
        return None
    months = (studied.year - born.year) * 12 + studied.month - born.month - (studied.day < born.day)
    return min(float(months // 12), OLDEST) if months >= 12 else months / 12


def links(identity: Identity, columns: dict[str, Any]) -> Iterator[Link]:
    """Originals beside their pseudonyms. A subject reads `ID^^^ISSUER`, as HL7 writes it."""
    subject = f"{identity.subject}^^^{identity.issuer}" if identity.issuer else identity.subject
    yield Link("subject", str(columns["subject_id"]), subject)
    yield Link("study", columns["StudyInstanceUID"], identity.study)
    yield Link("series", columns["SeriesInstanceUID"], identity.series)
    yield Link("instance", columns["SOPInstanceUID"], identity.instance)
