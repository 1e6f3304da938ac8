"""SipHash-2-4 against the vectors of its authors."""

from __future__ import annotations

import pyarrow as pa
import pytest

from medray.privacy.pseudonyms import Pseudonyms
from medray.privacy.sip_hash import sip_hashes

KEY = bytes(range(16))
# https://github.com/veorq/SipHash, vectors.h: the bytes 0, 1, ... of each length
VECTORS = {
    0: 0x726FDB47DD0E0E31,
    1: 0x74F839C593DC67FD,
    8: 0x93F5F5799A932462,
    15: 0xA129CA6149BE45E5,
}


def test_the_authors_vectors() -> None:
    texts = pa.array([bytes(range(length)).decode() for length in range(16)])
    hashes = sip_hashes(KEY, texts)
    assert {length: int(hashes[length]) for length in VECTORS} == VECTORS


def test_a_text_has_one_hash_wherever_it_stands() -> None:
    texts = pa.array(["7", None, "a longer text than one word", "", "7"])
    alone = {text: int(sip_hashes(KEY, pa.array([text]))[0]) for text in ("7", "a longer text than one word", "")}
    hashes = sip_hashes(KEY, texts.slice(1)).tolist()
    assert hashes[1:] == [alone["a longer text than one word"], alone[""], alone["7"]]
    assert sip_hashes(KEY, texts)[0] == alone["7"]
    assert len(sip_hashes(KEY, pa.array([], pa.string()))) == 0


def test_many_texts_are_hashed_in_pieces_alike() -> None:
    texts = pa.array([str(number) for number in range(40_000)])
    hashes = sip_hashes(KEY, texts)
    assert len(set(hashes.tolist())) == 40_000
    assert hashes[39_999] == sip_hashes(KEY, pa.array(["39999"]))[0]


@pytest.mark.parametrize("other", [("X", "labs", b"k"), ("H", "meds", b"k"), ("H", "labs", b"j")])
def test_record_keys_follow_key_issuer_and_table(other: tuple[str, str, bytes]) -> None:
    records = pa.array(["1", "2"])
    mine = Pseudonyms(b"k" * 32).record_keys("H", "labs", records)
    issuer, table, key = other
    theirs = Pseudonyms(key * 32).record_keys(issuer, table, records)
    assert mine.dtype == "int64"
    assert (mine >= 0).all()
    assert not set(mine.tolist()) & set(theirs.tolist())


def test_encounter_keys_are_of_an_issuer() -> None:
    mine = Pseudonyms(b"k" * 32)
    assert mine.encounter_key("H", "1") == mine.encounter_key(" h ", "1") != mine.encounter_key("X", "1")
    assert mine.encounter_key("H", "1") != mine.subject_id("H", "1")
    assert 0 <= mine.encounter_key("H", "1") < 2**63


def test_days_of_a_subject_are_1_to_364_and_none_where_identified() -> None:
    days = {Pseudonyms(b"k" * 32).shift_days(subject) for subject in range(3000)}
    assert days == set(range(1, 365))
    assert Pseudonyms(b"k" * 32, identified=True).shift_days(5) == 0
