"""The records by which jobs and rooms meet: `Source`, `RecordSource`, `Family`, `Task`.

Each is a frozen record of plain module-level functions (they travel to Ray workers by pickle).
A room assembles its record in `spec.py`; `medray.rooms` maps names to rooms. The engine is given
records and imports no room. Nothing here sees a path, a rank, a client or a clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy.typing as npt
import pyarrow as pa

if TYPE_CHECKING:
    import torch
    from pydantic import BaseModel

    from medray.nn.draws import Draws
    from medray.privacy.pseudonyms import Pseudonyms

Array = npt.NDArray[Any]
Sums = dict[str, Any]  # JSON numbers, or lists of them: additive statistics or their summary
Columns = dict[str, list[Any]]


@dataclass(frozen=True)
class SourceObject:
    """One object of an archive as its listing gives it.

    Attributes:
        uri: where it lies. Identifying: never written to a table, log or message.
        size_bytes: its size in the listing.
        etag: the store's tag of these bytes (ETag on S3; modification time on a folder).
    """

    uri: str
    size_bytes: int
    etag: str


@dataclass(frozen=True)
class Good:
    """Rows for one table, in the order of their objects."""

    table: str
    rows: pa.Table


@dataclass(frozen=True)
class Bad:
    """One object that ends in quarantine. Keys are pseudonymous already."""

    source_key: str
    source_etag: str
    size_bytes: int
    reason: str
    detail: str = ""
    transfer_syntax_uid: str | None = None


@dataclass(frozen=True)
class Link:
    """One original identifier and its pseudonym, for the linkage table only."""

    kind: str  # subject, study, series, instance, source
    pseudonym: str
    original: str


Fetch = Callable[[SourceObject], bytes]


@dataclass(frozen=True)
class Source:
    """What an archive is.

    Attributes:
        name: the word in a recipe.
        tables: tables its rows go to.
        read: (objects, fetch, pseudonyms, config, policy) -> what came out, in order. `fetch` returns
            all bytes of an object or raises `Unusable`; it is asked before the next object is, as
            objects may stream out of an archive. `policy` says how identity is removed. Every object
            yields at least one `Good` row
            or exactly one `Bad`. One batch of rows stays below 32 MB where one instance allows.
        show: a row of its first table -> a picture of it for a report, uint8 (H, W) or (H, W, 3);
            raises `Unusable`.
    """

    name: str
    tables: tuple[str, ...]
    read: Callable[[Iterable[SourceObject], Fetch, Pseudonyms, BaseModel, BaseModel], Iterator[Good | Bad | Link]]
    show: Callable[[Mapping[str, Any]], Array]


@dataclass(frozen=True)
class RecordFile:
    """One file of a record archive, as a worker sees it.

    Attributes:
        name: path below the archive, such as `hosp/labevents.csv.gz`. Never written to a table.
        size_bytes: its size in the listing.
        open: a new `pyarrow.NativeFile` on its stored bytes, seekable; the caller closes it.
    """

    name: str
    size_bytes: int
    open: Callable[[], pa.NativeFile]


RECORDS = pa.schema(
    [
        pa.field("row", pa.int64(), nullable=False),  # of the file, from 0; header lines do not count
        pa.field("subject", pa.string()),  # original identifier; null is quarantined
        pa.field("time", pa.timestamp("us")),  # original, UTC or local as the file has it; null: static fact
        pa.field("code", pa.dictionary(pa.int32(), pa.string())),
        pa.field("numeric_value", pa.float32()),
        pa.field("text_value", pa.string()),
        pa.field("unit", pa.dictionary(pa.int32(), pa.string())),
        pa.field("record", pa.string()),  # the record's own id in its table; null where it has none
        # What is the newer of two versions of a record: the greater number (microseconds since 1970, or
        # any count). Null: the one that comes later. It is kept masked, so that only differences show.
        pa.field("version", pa.int64()),
        pa.field("encounter", pa.string()),  # the encounter's id; null where the record names none
        pa.field("defines_encounter", pa.bool_(), nullable=False),
        pa.field("withdrawn", pa.bool_(), nullable=False),  # entered in error: takes an earlier version back
        # Set: the row goes to quarantine. With `withdrawn` and a `record`: nothing that the record says
        # can be used; it takes an earlier version back, and goes to quarantine (`empty`: is counted as
        # empty) where there is none.
        pa.field("reason", pa.dictionary(pa.int32(), pa.string())),
    ]
)


@dataclass(frozen=True)
class Records:
    """A part of a record file.

    Attributes:
        rows: columns of `RECORDS`, one row a candidate event, in the order of the file; at most
            about 64 MB. Identifying: it never leaves the worker as it is.
        empty: candidates that hold nothing (a null value or code, a filter that leaves them out).
        source_rows: rows, lines or resources of the file that this part has read.
    """

    rows: pa.RecordBatch
    empty: int
    source_rows: int


@dataclass(frozen=True)
class RecordSource:
    """What an archive of health records is.

    Attributes:
        name: the word in a recipe (`source.kind`).
        table_of: (file name, config) -> the archive's table that the file belongs to, or None when
            nothing of the recipe reads it.
        parts: (file, table, config) -> number of parts that can be read apart (row groups of
            Parquet); 1 where only the whole can be read.
        read: (file, table, part, config, found) -> its records, streaming: memory does not follow
            the file. `found` is what `lookups` gave. Raises `Unusable` when the file as a whole
            cannot be trusted (truncated gzip, no text, no such columns); nothing of it is used then.
        lookups: (files of the archive, config) -> what reading a file needs of the others (times
            of encounters for records that have none); made once on each worker.
        subjects: (files of the archive, config) -> identifiers in the records -> the identifier
            that images and records share; None when they are the same.
    """

    name: str
    table_of: Callable[[str, Any], str | None]
    parts: Callable[[RecordFile, str, Any], int]
    read: Callable[[RecordFile, str, int, Any, Any], Iterator[Records]]
    lookups: Callable[[Sequence[RecordFile], Any], Any]
    subjects: Callable[[Sequence[RecordFile], Any], Mapping[str, str] | None]


@dataclass(frozen=True)
class Window:
    """What is known of one subject at one time: nothing in it is later than that time.

    Events stand oldest first, static facts before all others; E may be 0.

    Attributes:
        code: int64 (E,), `medray.ops.code_id.code_id` of the code; of `code//text_value` for an
            event with a text value and no number.
        hours: float32 (E,), hours before the prediction time, >= 0; NaN for static facts.
        value: float32 (E,), NaN where there is no number.
    """

    code: Array
    hours: Array
    value: Array


@dataclass(frozen=True)
class Layout:
    """The prepared form of one example: a fixed-size block of numbers.

    `dtype` may be a record of several numbers, such as "i8,f4,f4" (numpy names them f0, f1, f2).
    """

    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True)
class Example:
    """One prepared example of an input."""

    frame_index: int
    values: Array


@dataclass(frozen=True)
class Refusal:
    """An input that is readable but outside what the family's config declares (`reason` of
    `medray.schema.reasons`)."""

    reason: str


@dataclass(frozen=True)
class Family:
    """What a model reads.

    Attributes:
        name: the word in a recipe.
        Config: pydantic model of the recipe's `[family]`.
        reads: the table whose rows it prepares: "images" or "events".
        accepts: (header row, config) -> None, or why the input is out of the declared range.
            Header columns only: decided in planning, without pixels. The header of an input of
            events is its row of `labels` (`observed`: how many events its window holds).
        prepare_columns: columns of a row of `images` that `prepare` needs; none for events.
        layout: config -> form of one prepared example.
        prepare_key: config -> the JSON values that `prepare` depends on (names the cache).
        prepare: (row of `images` or `Window`, config) -> one or more examples; raises `Unusable`.
        survey: (examples (N, *layout.shape), config) -> additive sums of the training split.
        merge: sums + sums -> sums.
        summarise: sums -> summary (normalisation, vocabulary); JSON, stored with the model.
        collate: (examples, config, summary, device) -> network inputs, float32.
        augment: (inputs, config, draws) -> inputs, on the device; training only. `draws` gives each row
            numbers of its own, by seed, epoch and row: no neighbour and no restart changes them.
        build: (config, summary, outputs) -> network mapping inputs to (N, outputs) logits.
        simple: (examples, config, summary) -> float32 (N, F) plain summaries with NaN where
            nothing is known: what the classic models beside the network learn from.
        traits: (examples, config, summary) -> a few named numbers of each example, float32 (N,),
            NaN where nothing is known: what a night is compared with its reference by. What is
            about one code of records is named by `medray.ops.code_id.code_trait`.
    """

    name: str
    Config: type[BaseModel]
    reads: str
    accepts: Callable[[Mapping[str, Any], Any], Refusal | None]
    prepare_columns: tuple[str, ...]
    layout: Callable[[Any], Layout]
    prepare_key: Callable[[Any], Mapping[str, Any]]
    prepare: Callable[[Any, Any], Sequence[Example]]
    survey: Callable[[Array, Any], Sums]
    merge: Callable[[Sums, Sums], Sums]
    summarise: Callable[[Sums], Sums]
    collate: Callable[[Array, Any, Sums, torch.device], torch.Tensor]
    augment: Callable[[torch.Tensor, Any, Draws], torch.Tensor]
    build: Callable[[Any, Sums, int], torch.nn.Module]
    simple: Callable[[Array, Any, Sums], Array]
    traits: Callable[[Array, Any, Sums], dict[str, Array]]


@dataclass(frozen=True)
class Task:
    """What a model answers.

    Targets are float32 (N, T) with NaN where the label is missing; a missing label changes neither
    loss nor metric. Losses and meters return sums and counts: only the training loop divides.

    Attributes:
        name: the word in a recipe.
        Config: pydantic model of the recipe's `[task]`; `labels` are the questions.
        targets: (label rows by question: {label: values per example, None = missing}, config) ->
            float32 (N, T); raises `LabelError` for values that the task cannot hold.
        survey, merge, summarise: class counts -> class weights, target scale (as in `Family`).
        outputs: config -> number of logits.
        loss: (logits (N, O), targets (N, T), config, summary) -> (sum of loss, count of labels).
        calibrate: (logits, targets, config) of the tuning split -> JSON calibration: temperature
            and thresholds, stored with the model.
        decode: (logits, config, calibration) -> per label the value columns of `predictions`,
            each a list of N: {label: {column: values}}.
        questions: config -> the `label` values that `decode` returns, in order.
        evaluate: (stored answers {label: {column of `predictions`: (N,)}}, targets (N, T), config,
            subjects int64 (N,), resamples, seed) -> metrics by question, JSON. It reads what
            predictions hold and never logits.
    """

    name: str
    Config: type[BaseModel]
    targets: Callable[[Mapping[str, Sequence[Any]], Any], Array]
    survey: Callable[[Array, Any], Sums]
    merge: Callable[[Sums, Sums], Sums]
    summarise: Callable[[Sums, Any], Sums]
    outputs: Callable[[Any], int]
    loss: Callable[[torch.Tensor, torch.Tensor, Any, Sums], tuple[torch.Tensor, torch.Tensor]]
    calibrate: Callable[[Array, Array, Any], Sums]
    decode: Callable[[Array, Any, Sums], dict[str, Columns]]
    questions: Callable[[Any], tuple[str, ...]]
    evaluate: Callable[[Mapping[str, Mapping[str, Array]], Array, Any, Array, int, int], dict[str, Any]]


__all__ = [
    "RECORDS",
    "Array",
    "Bad",
    "Columns",
    "Example",
    "Family",
    "Fetch",
    "Good",
    "Layout",
    "Link",
    "RecordFile",
    "RecordSource",
    "Records",
    "Refusal",
    "Source",
    "SourceObject",
    "Sums",
    "Task",
    "Window",
]
