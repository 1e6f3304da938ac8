"""The mapping that the standard implies (OMOP CDM 5.3 and 5.4, https://ohdsi.github.io/CommonDataModel).

A standard concept names an event as `OMOP//{concept_id}`, the same at every site; a record without
one (0 or empty) is named by the site's own text, `CONDITION//{condition_source_value}`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from medray.ehr.omop.config import OmopConfig
from medray.ehr.tables.config import Event, Table, TablesConfig, Time, TimeColumn, TimeParts

NO_CONCEPT = ("0",)


@dataclass(frozen=True)
class Clinical:
    """A table of clinical events.

    Attributes:
        noun: of its columns: `{noun}_id`, `{noun}_concept_id`, `{noun}_source_value`.
        when: of its dates, `{when}_date` and `{when}_datetime`.
        key: the primary key.
        number, concept, text: columns of values, where the table has them.
        units: it has `unit_source_value` and `unit_concept_id`.
    """

    noun: str
    when: str
    key: str
    number: str | None = None
    concept: str | None = None
    text: str | None = None
    units: bool = False


CLINICAL = {
    "condition_occurrence": Clinical("condition", "condition_start", "condition_occurrence_id"),
    "drug_exposure": Clinical("drug", "drug_exposure_start", "drug_exposure_id", number="quantity"),
    "procedure_occurrence": Clinical("procedure", "procedure", "procedure_occurrence_id"),
    "device_exposure": Clinical("device", "device_exposure_start", "device_exposure_id"),
    "measurement": Clinical(
        "measurement", "measurement", "measurement_id",
        number="value_as_number", concept="value_as_concept_id", units=True,
    ),
    "observation": Clinical(
        "observation", "observation", "observation_id",
        number="value_as_number", concept="value_as_concept_id", text="value_as_string", units=True,
    ),
}  # fmt: skip
_STAYS = {"visit_occurrence": ("visit", "VISIT"), "visit_detail": ("visit_detail", "VISIT_DETAIL")}
TABLES = ("person", "death", *_STAYS, *CLINICAL)


@lru_cache
def mapping(config: OmopConfig) -> TablesConfig:
    """The archive's tables as the `tables` source reads them."""
    makers: dict[str, Callable[[str, OmopConfig], Table]] = {"person": _person, "death": _death}
    makers |= dict.fromkeys(_STAYS, _stay) | dict.fromkeys(CLINICAL, _clinical)
    return TablesConfig(kind="tables", tables=tuple(make(name, config) for name, make in makers.items()))


def _person(name: str, config: OmopConfig) -> Table:
    birth = TimeParts(year="year_of_birth", month="month_of_birth", day="day_of_birth")
    facts = [_static(fact, config) for fact in ("gender", "race", "ethnicity")]
    born = Event(code=("MEDS_BIRTH",), time=(TimeColumn(column="birth_datetime"), birth))
    return _table(name, config, "person_id", [born, *facts], needed={"year_of_birth"}, encounter=None)


def _static(fact: str, config: OmopConfig) -> Event:
    return Event(code=_codes(fact, f"{fact.upper()}//", config), missing=_unmapped(fact))


def _death(name: str, config: OmopConfig) -> Table:
    died = Event(code=("MEDS_DEATH",), time=_times("death"))
    return _table(name, config, "person_id", [died], needed={"death_date"}, encounter=None)


def _stay(name: str, config: OmopConfig) -> Table:
    noun, word = _STAYS[name]
    ends = [
        Event(
            code=_codes(noun, f"{word}//{end}//", config),
            time=_times(f"{noun}_{end.lower()}"),
            not_after=_times(f"{noun}_end") if end == "START" else (),
            missing=_unmapped(noun),
        )
        for end in ("START", "END")
    ]
    needed = {f"{noun}_start_date", f"{noun}_end_date", _named_by(noun, config)}
    return _table(name, config, f"{name}_id", ends, needed, defines_encounter=name == "visit_occurrence")


def _clinical(name: str, config: OmopConfig) -> Table:
    form = CLINICAL[name]
    event = Event(
        code=_codes(form.noun, "", config),
        time=_times(form.when),
        value=form.number,
        text=form.text if config.keep_text and form.text else form.concept,
        unit=_units(config) if form.units else (),
        missing=_unmapped(form.noun)
        | ({form.concept: NO_CONCEPT} if form.concept else {})
        | (_unmapped("unit") if form.units and config.codes == "concept" else {}),
        value_required=False,
    )
    return _table(name, config, form.key, [event], {f"{form.when}_date", _named_by(form.noun, config)})


def _table(
    name: str,
    config: OmopConfig,
    key: str,
    events: list[Event],
    needed: set[str],
    defines_encounter: bool = False,
    encounter: str | None = "visit_occurrence_id",
) -> Table:
    read = frozenset[str]().union(*(event.reads for event in events), {encounter} if encounter else ())
    return Table(
        name=name,
        files=(name,),
        subject="person_id",
        record=(key,),
        encounter=encounter,
        defines_encounter=defines_encounter,
        optional=tuple(sorted(read - needed - {key, "person_id"})),
        integers=tuple(sorted(name for name in read | {key, "person_id"} if name.endswith("_id"))),
        delimiter=config.delimiter,
        events=tuple(events),
    )


def _codes(noun: str, prefix: str, config: OmopConfig) -> tuple[str, ...]:
    own = f"{prefix or noun.upper() + '//'}{{{noun}_source_value}}"
    return (own,) if config.codes == "source" else (f"{prefix}OMOP//{{{noun}_concept_id}}", own)


def _units(config: OmopConfig) -> tuple[str, ...]:
    """As the site prints it; with `codes = "concept"` its concept, where it prints none."""
    own = "{unit_source_value}"
    return (own,) if config.codes == "source" else (own, "OMOP//{unit_concept_id}")


def _named_by(noun: str, config: OmopConfig) -> str:
    return f"{noun}_source_value" if config.codes == "source" else f"{noun}_concept_id"


def _unmapped(noun: str) -> dict[str, tuple[str, ...]]:
    return {f"{noun}_concept_id": NO_CONCEPT}


def _times(when: str) -> tuple[Time, ...]:
    # the standard sets a time that the source does not tell to midnight
    return tuple(TimeColumn(column=f"{when}_{kind}", dates_at_midnight=True) for kind in ("datetime", "date"))
