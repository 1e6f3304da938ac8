"""What a recipe says about an archive of tables (`[source]`, kind "tables"): the mapping.

Names of columns are matched as written, or else without regard to case. An empty cell is null.
"""

from __future__ import annotations

from collections.abc import Set
from datetime import datetime
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, model_validator

from medray.ehr.tables.template import Template, columns_of, parsed

Word = Annotated[str, StringConstraints(min_length=1)]


def _listed(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else (value,)


def _as_text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _parsable(template: str) -> str:
    parsed(template)
    return template


def _naive(time: datetime) -> datetime:
    if time.tzinfo is not None:
        raise ValueError("a time without a zone, as the times of the events are")
    return time


Words = Annotated[tuple[Word, ...], BeforeValidator(_listed)]
Texts = Annotated[tuple[Annotated[str, BeforeValidator(_as_text)], ...], BeforeValidator(_listed)]
Rows = dict[Word, Annotated[Texts, Field(min_length=1)]]
TemplateText = Annotated[str, AfterValidator(_parsable)]
Templates = Annotated[tuple[TemplateText, ...], BeforeValidator(_listed)]


class Section(BaseModel):
    """A table of a recipe: unknown keys are mistakes, values never change."""

    model_config = ConfigDict(frozen=True, extra="forbid")


Instant = Literal["start", "end"]


class TimeColumn(Section):
    """A column with times.

    Attributes:
        column: ISO 8601 dates or times (with a zone: turned into UTC), or typed times.
        format: strptime format of the texts, where they are not ISO 8601.
        unit: the cells are numbers of this unit since `origin`; a whole number of days is a date.
        origin: the time that stands for 0; any, as only differences of a subject's times count.
        date: where a cell that has no time of day stands (the month or year of a format without days
            too): its last second ("end"), when it was surely known, or its first instant ("start").
            Absent: the first instant for MEDS_BIRTH, the last second for all else.
        dates_at_midnight: a time of 00:00:00 is a date whose time of day nobody wrote down.
    """

    column: Word
    format: Word | None = None
    unit: Literal["milliseconds", "seconds", "minutes", "hours", "days"] | None = None
    origin: Annotated[datetime, AfterValidator(_naive)] | None = None
    date: Instant | None = None
    dates_at_midnight: bool = False

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.unit is None) != (self.origin is None):
            raise ValueError("unit and origin come together")
        if self.unit is not None and self.format is not None:
            raise ValueError("format is for texts, unit and origin for numbers: give one of the two")
        if self.unit not in (None, "days") and self.date is not None:
            raise ValueError(f"date is for cells without a time of day: {self.unit} since the origin have one")
        if self.unit is not None and self.dates_at_midnight:
            raise ValueError("dates_at_midnight is for times; the origin of numbers need not be a midnight")
        return self

    @property
    def reads(self) -> frozenset[str]:
        """The columns that it reads."""
        return frozenset({self.column})


class TimeParts(Section):
    """Columns with the parts of a date; one with an empty month or day is that whole year or month.

    Attributes:
        year, month, day: columns with numbers.
        age: a column with years to go back from `year` (a birth year from age and year).
        date: where the date stands, as for a column.
    """

    year: Word
    month: Word | None = None
    day: Word | None = None
    age: Word | None = None
    date: Instant | None = None

    @property
    def reads(self) -> frozenset[str]:
        """The columns that it reads."""
        return frozenset(name for name in (self.year, self.month, self.day, self.age) if name)


def _time_table(value: Any) -> Any:
    return {"column": value} if isinstance(value, str) else value


Time = Annotated[TimeColumn | TimeParts, BeforeValidator(_time_table)]
Times = Annotated[tuple[Time, ...], BeforeValidator(_listed)]


class Event(Section):
    """What one row of a table tells. A row tells nothing (it is counted as empty) where a filter
    leaves it out, or a cell of its code, its declared time or its declared value is null.
    In filters "" is the empty cell.

    Attributes:
        code: template of the code, such as "LAB//{itemid}//{valueuom|UNK}"; the word after `|`
            stands for an empty cell. Of a list, the first whose cells are not null.
        columns: melts a wide table: one event for each of these columns (names, or patterns such
            as "*" over the columns that nothing else of the table reads). In `code` and `unit`,
            `{column}` is the column's name and `{cell}` its cell. The cell is the value, unless
            `code` holds `{cell}`.
        time: when it was; the first that is not null of a list. Absent: a static fact.
        not_after: the event is no later than this, where that is known: the end of a stay, for a
            start of which only the date is known.
        value: column of numbers.
        text: column of texts, kept as they are: they may identify. The column of `value`: what is
            no number becomes the text.
        unit: template of the unit: a word, or "{valueuom}"; a list as in `code`.
        where: column -> texts; other rows tell nothing.
        unless: column -> texts; these rows tell nothing.
        missing: column -> texts that stand for an empty cell of it.
        time_required: rows without the declared time tell nothing; else they tell a static fact.
        value_required: rows without the declared value and text tell nothing.
        scale, offset: the number is value * scale + offset.
    """

    code: Annotated[Templates, Field(min_length=1)]
    columns: Words = ()
    time: Times = ()
    not_after: Times = ()
    value: Word | None = None
    text: Word | None = None
    unit: Templates = ()
    where: Rows = {}
    unless: Rows = {}
    missing: Rows = {}
    time_required: bool = True
    value_required: bool = True
    scale: float = Field(default=1.0, allow_inf_nan=False)
    offset: float = Field(default=0.0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _one_value(self) -> Self:
        if self.columns and (self.value or self.text):
            raise ValueError("columns are the values already: leave value and text out")
        if self.columns and not all(columns_of(code) & {"column", "cell"} for code in self.codes):
            raise ValueError("with columns, code needs {column} or {cell} to tell them apart")
        return self

    @property
    def dates(self) -> Instant:
        """Where its dates stand, unless the time says otherwise."""
        return "start" if set(self.code) == {"MEDS_BIRTH"} else "end"

    @property
    def codes(self) -> tuple[Template, ...]:
        """The pieces of each `code`."""
        return tuple(map(parsed, self.code))

    @property
    def units(self) -> tuple[Template, ...]:
        """The pieces of each `unit`."""
        return tuple(map(parsed, self.unit))

    @property
    def reads(self) -> frozenset[str]:
        """The columns that it reads, besides those that it melts."""
        cells = frozenset[str]().union(*map(columns_of, (*self.codes, *self.units)))
        times = frozenset[str]().union(*(time.reads for time in (*self.time, *self.not_after)))
        named = {name for name in (self.value, self.text) if name}
        melted = {"column", "cell"} if self.columns else set()
        return (cells - melted) | times | named | {*self.where, *self.unless, *self.missing}


class Files(Section):
    """Files of one form, CSV (plain, gzip, bzip2 or zstd) or Parquet.

    Attributes:
        files: patterns of names, case-sensitive, matched from the end of the path below the
            archive: "labevents.csv*", "hosp/*.csv.gz", "labevents/*.parquet".
        delimiter: between cells of text files; a tab for names with `.tsv`, else a comma.
        encoding: of text files.
        integers: columns of whole numbers, often ids: a text such as "10.0" is "10", as some programs
            write a column that has empty cells.
        multiline: quoted cells of text files may hold line breaks. A stray quote then makes the file
            malformed; without it, it costs its own line only.
    """

    files: Annotated[Words, Field(min_length=1)]
    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=1)] | None = None
    encoding: Literal["utf-8", "latin-1", "cp1252", "utf-16"] = "utf-8"
    integers: Words = ()
    multiline: bool = False

    def fit(self, name: str) -> bool:
        """Whether the file of that name is one of them."""
        return any(map(PurePosixPath(name).match, self.files))


_Form = TypeVar("_Form", bound=Files)


def _with_integers_among(form: _Form, read: Set[str]) -> _Form:
    unknown = sorted(set(form.integers) - read)
    if unknown:
        raise ValueError(f"integers has {', '.join(unknown)}, which nothing here reads (as it is written)")
    return form


class Join(Files):
    """Columns that another, smaller table of the archive adds to each row; null where it has no
    such key (an event that needs them is then empty, and counted so). Each worker keeps them in memory.

    Attributes:
        on: column of the rows.
        key: the same column in the other table, where its name differs. The first row of a key counts.
        columns: those that are added.
        prefix: put before their names.
    """

    on: Word
    key: Word | None = None
    columns: Annotated[Words, Field(min_length=1)]
    prefix: str = ""

    @model_validator(mode="after")
    def _read(self) -> Self:
        return _with_integers_among(self, {self.key or self.on, *self.columns})

    @property
    def adds(self) -> dict[str, str]:
        """Name among the rows -> name in the other table."""
        return {self.prefix + name: name for name in self.columns}


class Table(Files):
    """Files whose rows are records. A file belongs to the first table of the recipe that it fits.

    Attributes:
        name: the table's name in counts and reports.
        subject: column with the subject's identifier.
        record: columns that together are the record's own id; corrections are told by it. A row of
            which nothing can be used (and which `where` does not give to other tables) takes back
            what the record said before.
        version: column with the time when the row was last changed, or (with unit and origin) with a
            number that grows with each change: of several versions of a record the latest counts,
            whatever file it stands in. Absent, or an empty cell: the one that is read later.
        encounter: column with the encounter's id.
        defines_encounter: the rows are the encounters.
        withdrawn: column -> texts that mark a row as entered in error; it takes back the earlier
            version of its record.
        joins: columns of other tables that stand beside those of the file.
        optional: columns that a file may lack: they are null there.
        events: what a row tells.
    """

    name: Word
    subject: Word
    record: Words = ()
    version: Annotated[TimeColumn, BeforeValidator(_time_table)] | None = None
    encounter: Word | None = None
    defines_encounter: bool = False
    withdrawn: Rows = {}
    joins: tuple[Join, ...] = ()
    optional: Words = ()
    events: tuple[Event, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _told_apart(self) -> Self:
        if self.defines_encounter and self.encounter is None:
            raise ValueError("defines_encounter needs encounter")
        if self.version and not self.record:
            raise ValueError("version needs record: it is the record's")
        if self.withdrawn and not self.record:
            raise ValueError("withdrawn needs record: what is taken back is told by its id")
        return _with_integers_among(self, {*self.reads, *(name for event in self.events for name in event.columns)})

    @property
    def joined(self) -> frozenset[str]:
        """The columns that its joins add."""
        return frozenset(name for join in self.joins for name in join.adds)

    @property
    def reads(self) -> frozenset[str]:
        """The columns of its files that it reads, besides those that its events melt."""
        named = {self.subject, *self.record, *self.withdrawn, *(join.on for join in self.joins)}
        named |= {self.encounter} if self.encounter else set()
        named |= self.version.reads if self.version else set()
        return frozenset(named.union(*(event.reads for event in self.events)) - self.joined)


class Crosswalk(Files):
    """A table of the archive that leads from its subjects to the identifier that images share.

    Attributes:
        subject: column with the identifier in the records.
        shared: column with the identifier that images and records share.
    """

    subject: Word
    shared: Word

    @model_validator(mode="after")
    def _read(self) -> Self:
        return _with_integers_among(self, {self.subject, self.shared})


class TablesConfig(Section):
    """How the tables of an archive are read.

    Attributes:
        tables: the mapping; names are distinct.
        subjects: where the identifier of the records is not the shared one.
    """

    kind: Literal["tables"]
    tables: tuple[Table, ...] = Field(min_length=1)
    subjects: Crosswalk | None = None

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        names = [table.name for table in self.tables]
        if len(set(names)) < len(names):
            raise ValueError("two tables of one name")
        return self

    def table(self, name: str) -> Table:
        """The table of that name."""
        return next(table for table in self.tables if table.name == name)
