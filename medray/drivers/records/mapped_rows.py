"""Records of a source become staged rows: checked, pseudonymous, and told which bucket they go to."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from medray.contracts import Array
from medray.privacy.pseudonyms import Pseudonyms

WORD = pa.dictionary(pa.int32(), pa.string())
STAGED = pa.schema(
    [
        pa.field("file", pa.int32()),  # its number in the plan
        pa.field("row", pa.int64()),
        pa.field("reason", WORD),  # set: the row goes to quarantine; of a withdrawal, when it has nothing to take back
        pa.field("subject_id", pa.int64()),
        pa.field("time", pa.timestamp("us")),
        pa.field("code", WORD),
        pa.field("numeric_value", pa.float32()),
        pa.field("text_value", pa.string()),
        pa.field("unit", WORD),
        pa.field("encounter_key", pa.int64()),
        pa.field("defines_encounter", pa.bool_()),
        pa.field("record_key", pa.int64()),
        pa.field("record_order", pa.int64()),
        pa.field("withdrawn", pa.bool_()),
    ]
)
_DAY = 86_400_000_000  # microseconds
_REMEMBERED = 2**20  # pseudonyms kept in memory
_SUBJECT_BITS = 63


class RecordMap:
    """The mapping of one chunk. It remembers the pseudonyms of subjects and encounters it has met.

    Args:
        pseudonyms, issuer: as in the recipe.
        shared: identifier in the records -> the one that images share, None where there is none.
        as_of: later records are refused.
        buckets: a power of two; refused rows go to a bucket of their own behind the last.
        met: told of every subject that is met: its id and the identifier that images share.
    """

    def __init__(
        self,
        pseudonyms: Pseudonyms,
        issuer: str,
        shared: Callable[[str], str | None],
        as_of: datetime | None,
        buckets: int,
        met: Callable[[int, str], None],
    ) -> None:
        self._pseudonyms, self._issuer, self._shared = pseudonyms, issuer, shared
        self._as_of = None if as_of is None else pa.scalar(as_of, pa.timestamp("us"))
        self._shift = _SUBJECT_BITS - (buckets.bit_length() - 1)
        self._refused = buckets
        self._met = met
        self._subjects: dict[str, tuple[int, int]] = {}  # identifier -> id (-1: none), microseconds to move back
        self._encounters: dict[str, int] = {}

    def rows(self, records: pa.RecordBatch, file: int, table: str) -> list[tuple[pa.RecordBatch, Array]]:
        """Rows of `STAGED`, in the order of the records, with the bucket (uint16) of each: the good
        ones, then the refused ones (which hold `file`, `row` and `reason` only). What is left out is
        empty."""
        subject, back = self._pseudonymous(records["subject"])
        reason = self._reason(records, subject)
        pieces: list[tuple[pa.RecordBatch, Array]] = []
        if reason.null_count < len(reason):
            good = pc.or_(reason.is_null(), _takes_back(records, subject))
            told = pc.and_not(pc.not_equal(reason.cast(pa.string()), "empty"), good)
            if pc.any(told).as_py():
                pieces.append(self._refusal(records["row"].filter(told), reason.filter(told), file))
            kept = good.to_numpy(zero_copy_only=False)
            records, reason, subject, back = records.filter(good), reason.filter(good), subject[kept], back[kept]
        if records.num_rows:
            bucket = (subject >> self._shift).astype(np.uint16) if self._refused > 1 else _all(0, len(subject))
            records = records.set_column(records.schema.get_field_index("reason"), "reason", reason)
            pieces.insert(0, (self._staged(records, subject, back, file, table), bucket))
        return pieces

    def _staged(self, records: pa.RecordBatch, subject: Array, back: Array, file: int, table: str) -> pa.RecordBatch:
        count = len(subject)
        time = pc.subtract(records["time"].cast(pa.int64()), pa.array(back)).cast(pa.timestamp("us"))
        columns = {
            "file": pa.array(np.full(count, file, np.int32)),
            "row": records["row"],
            "subject_id": pa.array(subject),
            "time": time,
            "encounter_key": self._encounter_keys(records["encounter"]),
            "record_key": self._record_keys(records["record"], table),
            "record_order": self._record_orders(records["version"], records["record"], table),
        }
        return _batch({name: columns[name] if name in columns else records[name] for name in STAGED.names})

    def _refusal(self, row: pa.Array, reason: pa.Array, file: int) -> tuple[pa.RecordBatch, Array]:
        count = len(row)
        columns = {field.name: pa.nulls(count, field.type) for field in STAGED}
        columns |= {"file": pa.array(np.full(count, file, np.int32)), "row": row, "reason": reason}
        return _batch(columns), _all(self._refused, count)

    def _reason(self, records: pa.RecordBatch, subject: Array) -> pa.DictionaryArray:
        """Why a record is refused, null for the good ones; the source's word comes first."""
        reason = records["reason"]
        checks = [("missing_subject", pa.array(subject < 0)), ("no_code", records["code"].is_null())]
        if self._as_of is not None:
            checks.append(("after_as_of", pc.fill_null(pc.greater(records["time"], self._as_of), False)))
        found = [(word, wrong) for word, wrong in checks if pc.any(wrong).as_py()]
        if not found:
            return reason
        words = reason.cast(pa.string())
        for word, wrong in found:
            words = pc.if_else(pc.and_(wrong, words.is_null()), word, words)
        return words.dictionary_encode()

    def _pseudonymous(self, column: pa.StringArray) -> tuple[Array, Array]:
        """Subject ids (-1 where there is none) and the microseconds to move back, each int64 (N,)."""
        if len(self._subjects) > _REMEMBERED:
            self._subjects.clear()
        words, places = _distinct(column)
        known = [self._subject(word) for word in words]
        pairs = np.array([*known, (-1, 0)], np.int64).reshape(-1, 2)
        return pairs[places, 0], pairs[places, 1]

    def _subject(self, word: str) -> tuple[int, int]:
        found = self._subjects.get(word)
        if found is None:
            shared = self._shared(word)
            if shared is None or not shared.strip():
                found = (-1, 0)
            else:
                subject = self._pseudonyms.subject_id(self._issuer, shared)
                found = (subject, self._pseudonyms.shift_days(subject) * _DAY)
                self._met(subject, shared)
            self._subjects[word] = found
        return found

    def _encounter_keys(self, column: pa.StringArray) -> pa.Array:
        if len(self._encounters) > _REMEMBERED:
            self._encounters.clear()
        words, places = _distinct(column)
        keys = np.array([*(self._encounter(word) for word in words), 0], np.int64)
        return pa.array(keys[places], mask=places < 0)

    def _encounter(self, word: str) -> int:
        found = self._encounters.get(word)
        if found is None:
            found = self._encounters[word] = self._pseudonyms.encounter_key(self._issuer, word)
        return found

    def _record_keys(self, column: pa.StringArray, table: str) -> pa.Array:
        if column.null_count == len(column):
            return pa.nulls(len(column), pa.int64())
        keys = self._pseudonyms.record_keys(self._issuer, table, column)
        return pa.array(keys, mask=column.is_null().to_numpy(zero_copy_only=False))

    def _record_orders(self, version: pa.Int64Array, record: pa.StringArray, table: str) -> pa.Array:
        if version.null_count == len(version):
            return version
        masks = self._pseudonyms.version_masks(self._issuer, table, record)
        told = pc.and_(version.is_valid(), record.is_valid()).to_numpy(zero_copy_only=False)
        orders = version.fill_null(0).to_numpy().view(np.uint64) + masks  # modulo 2**64
        return pa.array(orders.view(np.int64), mask=~told)


def _takes_back(records: pa.RecordBatch, subject: Array) -> pa.Array:
    """Which records cannot be used, by the word of the source, and take back what stands of them."""
    whose = pc.and_(records["record"].is_valid(), pa.array(subject >= 0))
    return pc.and_(pc.and_(records["withdrawn"], records["reason"].is_valid()), whose)


def _distinct(column: pa.StringArray) -> tuple[list[str], Array]:
    """The words of a column and the place of each row's word; -1 where it has none."""
    encoded = column.dictionary_encode()
    places: Array = pc.fill_null(encoded.indices, -1).to_numpy()
    return encoded.dictionary.to_pylist(), places


def _all(bucket: int, count: int) -> Array:
    return np.full(count, bucket, np.uint16)


def _batch(columns: dict[str, Any]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([columns[name] for name in STAGED.names], schema=STAGED)
