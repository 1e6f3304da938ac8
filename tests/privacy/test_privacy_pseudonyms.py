"""Pseudonyms against the standard library's HMAC, called here by itself."""

from __future__ import annotations

import hmac
import pickle
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medray.privacy.pseudonyms import Pseudonyms

KEY = bytes(range(32))
MINE, OTHERS = Pseudonyms(KEY), Pseudonyms(KEY[::-1])
IDENTIFIED = Pseudonyms(KEY, identified=True)


def mac(*fields: str) -> str:
    """64 hex digits of HMAC-SHA256 of the fields, divided by the unit separator."""
    return hmac.digest(KEY, "\x1f".join(fields).encode(), "sha256").hex()


def test_a_subject_is_63_bits() -> None:
    expected = int(mac("subject", "HOSPITAL", "DOE^1")[:16], 16) // 2
    assert MINE.subject_id("hospital ", " doe^1\0") == expected
    assert 0 <= expected < 2**63


def test_a_uid_is_128_bits_below_the_arc_for_uuids() -> None:
    assert MINE.uid("1.2.840.1\0") == MINE.uid("1.2.840.1") == f"2.25.{int(mac('uid', '1.2.840.1')[:32], 16)}"


def test_keys_are_hex() -> None:
    assert MINE.source_key("s3://a/Ä.dcm") == mac("source", "s3://a/Ä.dcm")[:32]
    assert MINE.etag("abc") == mac("etag", "abc")[:32]
    assert MINE.site_key(" St. Mary ") == mac("site", "ST. MARY")[:16]
    assert MINE.scanner_key("acme", " s1 ") == mac("scanner", "ACME", "S1")[:16]


def test_a_fixed_vector_holds_for_ever() -> None:
    """A lake outlives this code: these numbers may never change."""
    assert MINE.fingerprint == "5ab8c392c2c54035"
    assert MINE.subject_id("", "DOE1") == 6899939382366549726
    assert MINE.uid("1.2.3") == "2.25.197235472747328251375459603941291095639"
    assert MINE.shift(1, datetime(2020, 1, 1)) == datetime(2019, 5, 10)


def test_words_keep_the_domains_apart() -> None:
    same = "1.2.3"
    found = {
        MINE.uid(same),
        MINE.source_key(same),
        MINE.etag(same),
        MINE.site_key(same),
        MINE.scanner_key(same),
        str(MINE.subject_id("", same)),
    }
    prefixes = {MINE.source_key(same)[:16], MINE.etag(same)[:16], MINE.site_key(same), MINE.scanner_key(same)}
    assert (len(found), len(prefixes)) == (6, 4)


def test_fields_do_not_run_into_each_other() -> None:
    assert MINE.subject_id("AB", "C") != MINE.subject_id("A", "BC")
    assert MINE.scanner_key("AB", "C") != MINE.scanner_key("A", "BC")


def test_another_key_gives_other_pseudonyms() -> None:
    assert MINE.fingerprint != OTHERS.fingerprint
    assert MINE.subject_id("", "1") != OTHERS.subject_id("", "1")
    assert MINE.uid("1.2") != OTHERS.uid("1.2")
    assert MINE.source_key("x") != OTHERS.source_key("x")


def test_the_fingerprint_reveals_no_key() -> None:
    assert len(MINE.fingerprint) == 16
    assert MINE.fingerprint == mac("fingerprint")[:16]
    assert KEY.hex() not in MINE.fingerprint


def test_the_key_is_not_shown() -> None:
    assert repr(KEY) not in repr(MINE)
    assert KEY.hex() not in repr(MINE)


def test_they_travel_to_workers() -> None:
    assert pickle.loads(pickle.dumps(MINE)).uid("1.2") == MINE.uid("1.2")


@given(
    st.integers(0, 2**63 - 1),
    st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)),
    st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)),
)
def test_a_subjects_times_move_together(subject: int, one: datetime, other: datetime) -> None:
    moved = one - MINE.shift(subject, one)
    assert moved == other - MINE.shift(subject, other)
    assert timedelta(days=1) <= moved <= timedelta(days=364)
    assert moved == timedelta(days=1 + int(mac("days", str(subject))[:16], 16) % 364)


def test_subjects_move_apart_and_use_the_whole_year() -> None:
    time = datetime(2020, 6, 1)
    days = {(time - MINE.shift(subject, time)).days for subject in range(5000)}
    assert days == set(range(1, 365))
    assert MINE.shift(7, time) != OTHERS.shift(7, time)


def test_an_identified_lake_keeps_uids_and_times_only() -> None:
    time = datetime(2020, 6, 1, 12)
    assert IDENTIFIED.uid(" 1.2.3\0") == "1.2.3"
    assert IDENTIFIED.shift(7, time) == time
    assert IDENTIFIED.subject_id("", "DOE") == MINE.subject_id("", "DOE")
    assert IDENTIFIED.source_key("/a/DOE.dcm") == MINE.source_key("/a/DOE.dcm")


@pytest.mark.parametrize("name", ["/archive/M\udcfcller.dcm", "/archive/\udcff"])
def test_a_file_name_that_is_no_utf8_has_a_key_too(name: str) -> None:
    """Old archives hold Latin-1 names; the operating system gives them as surrogates."""
    raw = name.encode("utf-8", "surrogateescape")
    assert MINE.source_key(name) == hmac.digest(KEY, b"source\x1f" + raw, "sha256").hex()[:32]
