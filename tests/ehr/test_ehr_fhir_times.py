"""FHIR: when what a resource says was known."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from medray.ehr.fhir.config import FhirConfig
from medray.ehr.fhir.resource import events_of
from medray.ehr.fhir.times import first_instant, last_second

CONFIG = FhirConfig(kind="fhir", subject="id")
CODE = {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]}
START, END = "2020-03-01T08:00:00Z", "2020-03-02T09:00:00Z"
AT_START, AT_END = datetime(2020, 3, 1, 8), datetime(2020, 3, 2, 9)
DAY = datetime(2020, 3, 4, 23, 59, 59)


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2020", datetime(2020, 1, 1), datetime(2020, 12, 31, 23, 59, 59)),
        ("2020-02", datetime(2020, 2, 1), datetime(2020, 2, 29, 23, 59, 59)),
        ("2020-12", datetime(2020, 12, 1), datetime(2020, 12, 31, 23, 59, 59)),
        ("2020-03-04", datetime(2020, 3, 4), DAY),
        *(
            (text, time, time)
            for text, time in [
                ("2020-03-04T00:00:00", datetime(2020, 3, 4)),
                ("2020-03-04T05:06:07", datetime(2020, 3, 4, 5, 6, 7)),
                ("2020-03-04T05:06+01:00", datetime(2020, 3, 4, 4, 6)),
                ("2020-03-04T23:06:07.123456789-05:00", datetime(2020, 3, 5, 4, 6, 7, 123456)),
                ("2020-02-30", None),
                ("0001-01-01T00:00:00+01:00", None),
                ("20200304", None),
                ("2020-W01", None),
                ("2020-03-04 05:06:07", None),
                (" 2020", None),
                ("٢٠٢٠", None),
                ("", None),
                (2020, None),
                (None, None),
            ]
        ),
    ],
)
def test_times(text: object, first: datetime | None, last: datetime | None) -> None:
    assert (first_instant(text), last_second(text)) == (first, last)


def known(kind: str, **elements: Any) -> list[tuple[datetime | None, str | None]]:
    resource = {"resourceType": kind, "id": "1", "code": CODE, "subject": {"reference": "Patient/1"}, **elements}
    return [(event.time, event.reason) for event in events_of(resource, CONFIG) if event]


PERIOD = {"start": START, "end": END}


@pytest.mark.parametrize(
    ("kind", "elements", "time"),
    [
        ("Observation", {"effectivePeriod": PERIOD}, AT_END),
        ("Observation", {"effectivePeriod": {"end": END}}, AT_END),
        ("Observation", {"effectivePeriod": {"start": START}}, AT_START),
        ("Observation", {"effectivePeriod": {}, "issued": END}, AT_END),
        ("Observation", {"effectiveTiming": {"event": [START]}, "issued": END}, AT_END),
        ("Observation", {"effectiveDateTime": START, "issued": END}, AT_START),
        ("Observation", {"effectivePeriod": {"start": START, "end": "soon"}, "issued": END}, None),
        ("Observation", {"effectiveDateTime": "soon", "issued": END}, None),
        ("DiagnosticReport", {"effectiveDateTime": START, "issued": END}, AT_END),
        ("DiagnosticReport", {"effectivePeriod": PERIOD, "issued": START}, AT_END),
        ("DiagnosticReport", {"issued": START}, AT_START),
        ("DiagnosticReport", {"effectiveDateTime": START}, AT_START),
        ("DiagnosticReport", {"effectiveDateTime": START, "issued": "soon"}, None),
        ("DiagnosticReport", {}, None),
        ("Procedure", {"performedPeriod": PERIOD}, AT_END),
        ("Condition", {"onsetPeriod": PERIOD}, AT_END),
        ("Condition", {"recordedDate": "2020-03-04", "onsetDateTime": "2019"}, DAY),
        ("Condition", {"onsetAge": {"value": 3}}, None),
    ],
)
def test_what_takes_time_is_known_when_it_is_complete(kind: str, elements: Any, time: datetime | None) -> None:
    assert known(kind, **elements) == [(time, None if time else "unreadable_time")]


@pytest.mark.parametrize(
    ("period", "times"),
    [
        ({"start": "2020-03-04", "end": "2020-03-04T15:00:00"}, [datetime(2020, 3, 4, 15)] * 2),
        ({"start": "2020-03-04", "end": "2020-03-04"}, [DAY, DAY]),
        ({"start": "2020-03-04", "end": "2020-03-09"}, [DAY, datetime(2020, 3, 9, 23, 59, 59)]),
        ({"start": "2020-03", "end": "2020-03-04"}, [DAY, DAY]),
        ({"start": "2020-03-04"}, [DAY]),
        ({"start": START, "end": END}, [AT_START, AT_END]),
        ({"start": END, "end": START}, [AT_END, AT_START]),
        ({"start": "2020-03-04", "end": "soon"}, [DAY, None]),
        ({"end": END}, [None, AT_END]),
    ],
)
def test_an_encounter_does_not_start_after_its_end(period: Any, times: list[datetime | None]) -> None:
    assert [time for time, _ in known("Encounter", period=period)] == times


def test_a_birth_stands_at_its_first_instant_and_a_death_at_its_last_second() -> None:
    patient = {"resourceType": "Patient", "id": "1", "birthDate": "1950", "deceasedDateTime": "2020"}
    assert [event.time for event in events_of(patient, CONFIG) if event] == [
        datetime(1950, 1, 1), datetime(2020, 12, 31, 23, 59, 59),
    ]  # fmt: skip
