"""Members of zip and tar archives: all that can be read, one at a time, and why the others cannot."""

from __future__ import annotations

import gc
import io
import random
import struct
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from medray.contracts import SourceObject
from medray.errors import StorageError, Unusable
from medray.storage.archive import kind_of, members, parts_of
from medray.storage.archive_kind import archive_kind, archive_name
from medray.storage.member import Limits
from medray.storage.store import Store

LIMITS = Limits(members=100, ratio=200)
TARS = {"x.tar": "w", "x.tgz": "w:gz", "x.tar.bz2": "w:bz2", "x.tar.xz": "w:xz"}
Files = dict[str, bytes]


def files(count: int = 12) -> Files:
    return {f"p/{n:02d}": random.Random(n).randbytes(n * 300) for n in range(count)}


def write_tar(path: Path, held: Files, mode: str = "w", form: int = tarfile.PAX_FORMAT) -> Path:
    with tarfile.open(path, mode, format=form) as archive:  # type: ignore[call-overload]
        for name, data in held.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def write_zip(path: Path, held: Files, method: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in held.items():
            archive.writestr(name, data)
    return path


def read(path: Path, parts: int = 1, limits: Limits = LIMITS) -> tuple[dict[str, bytes | str], list[str]]:
    """Bytes or reason by member, and the reasons of the archive."""
    item = SourceObject(str(path), path.stat().st_size, "e")
    kind = kind_of(Store(), "archive a", item)
    assert kind is not None
    found: dict[str, bytes | str] = {}
    left: list[str] = []
    for part in range(parts):
        try:
            for member in members(Store(), "archive a", item, kind, (part, parts), limits):
                assert member.name not in found
                found[member.name] = _bytes_or_reason(member.read)
        except Unusable as error:
            left.append(error.reason)
    return found, left


def _bytes_or_reason(fetch: Callable[[], bytes]) -> bytes | str:
    try:
        return fetch()
    except Unusable as error:
        return error.reason


@pytest.mark.parametrize("name", TARS)
@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_member_of_a_tar_comes_once(tmp_path: Path, name: str, form: int) -> None:
    path = write_tar(tmp_path / name, files(), TARS[name], form)
    assert read(path) == (files(), [])
    assert read(path, parts=5) == (files(), [])


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_every_member_of_a_zip_comes_once(tmp_path: Path, method: int) -> None:
    path = write_zip(tmp_path / "x.zip", files(), method)
    assert read(path) == (files(), [])
    assert read(path, parts=5) == (files(), [])


def test_the_parts_of_an_archive_are_about_equal(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "x.zip", {str(n): bytes(1000) for n in range(40)}, zipfile.ZIP_STORED)
    item = SourceObject(str(path), path.stat().st_size, "e")
    counts = [len(list(members(Store(), "a", item, "zip", (part, 4), LIMITS))) for part in range(4)]
    assert sum(counts) == 40
    assert max(counts) <= 12


@pytest.mark.parametrize(
    ("name", "in_folder", "parts"),
    [("x.zip", False, 3), ("x.tar", True, 3), ("x.tar", False, 1), ("x.tar.gz", True, 1), ("X.ZIP", True, 3)],
)
def test_only_what_can_be_entered_anywhere_is_cut(name: str, in_folder: bool, parts: int) -> None:
    assert parts_of(name, 250, 100, in_folder) == parts


def test_compressed_streams_in_a_row_are_one(tmp_path: Path) -> None:
    for name, mode in TARS.items():
        whole = write_tar(tmp_path / "whole.tar", files()).read_bytes()
        halves = tmp_path / f"{name}.halves"
        if mode == "w":
            continue
        compress = __import__({"w:gz": "gzip", "w:bz2": "bz2", "w:xz": "lzma"}[mode]).compress
        halves.write_bytes(compress(whole[:5000]) + compress(whole[5000:]) + bytes(12))
        assert read(halves) == (files(), [])


@pytest.mark.parametrize("name", TARS)
def test_a_truncated_tar_gives_the_members_before_the_cut_and_says_so(tmp_path: Path, name: str) -> None:
    held = {name: bytes(data) for name, data in files().items()}
    raw = write_tar(tmp_path / name, held, TARS[name]).read_bytes()
    end = len(raw) - (8192 if name == "x.tar" else 0)  # a tar may be filled up with zeros
    for cut in [*range(600, end, max(1, (end - 600) // 12)), end - 1]:
        (tmp_path / "cut").write_bytes(raw[:cut])
        found, left = read(tmp_path / "cut", parts=3)
        whole = [name for name, data in found.items() if data == held[name]]
        assert whole == list(held)[: len(whole)]
        assert list(found)[len(whole) + 1 :] == []
        if name == "x.tar" and cut % 512 == 0 and len(whole) == len(held):
            continue
        assert left == ["truncated"], (cut, len(raw))


@pytest.mark.parametrize("cut", [100, 1000, -1])
def test_a_zip_without_its_directory_cannot_be_opened(tmp_path: Path, cut: int) -> None:
    path = write_zip(tmp_path / "x.zip", files())
    path.write_bytes(path.read_bytes()[:cut])
    assert read(path, parts=2) == ({}, ["truncated"])


def test_an_encrypted_member_does_not_hide_the_others(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "x.zip", {"a": b"a" * 50, "secret": b"b" * 50, "c": b"c" * 50}, zipfile.ZIP_STORED)
    raw = bytearray(path.read_bytes())
    at = raw.rindex(b"PK\1\2", 0, raw.rindex(b"secret"))
    raw[at + 8] |= 1  # general purpose flag, bit 0
    path.write_bytes(raw)
    assert read(path) == ({"a": b"a" * 50, "secret": "encrypted", "c": b"c" * 50}, [])


def test_a_wrong_checksum_is_found(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "x.zip", {"a": b"a" * 50, "b": b"b" * 50}, zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(b"a" * 50, b"a" * 49 + b"!"))
    assert read(path) == ({"a": "bad_archive", "b": b"b" * 50}, [])


def test_a_flipped_bit_of_a_compressed_tar_is_found(tmp_path: Path) -> None:
    for name in ("x.tgz", "x.tar.bz2", "x.tar.xz"):
        path = write_tar(tmp_path / name, files(), TARS[name])
        raw = bytearray(path.read_bytes())
        raw[len(raw) // 2] ^= 16
        path.write_bytes(raw)
        _, left = read(path)
        assert left in (["bad_archive"], ["truncated"])


@pytest.mark.parametrize("declared", [10, 200])
def test_a_member_that_inflates_to_another_size_than_declared_is_not_used(tmp_path: Path, declared: int) -> None:
    path = write_zip(tmp_path / "x.zip", {"bomb": bytes(100_000), "b": b"b"})
    raw = path.read_bytes()
    for signature, place in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
        at = raw.index(signature) + place
        raw = raw[:at] + struct.pack("<L", declared) + raw[at + 4 :]
    path.write_bytes(raw)
    assert read(path) == ({"bomb": "bad_archive", "b": b"b"}, [])


def test_bombs_and_crowds_are_left_where_the_limits_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("medray.storage.member.GIB", 1000)
    held = {str(n): bytes(5000) for n in range(10)}
    for path in (write_zip(tmp_path / "x.zip", held), write_tar(tmp_path / "x.tgz", held, "w:gz")):
        found, left = read(path, limits=Limits(members=100, ratio=5))
        assert left == ["too_large"]
        assert len(found) < 10
    for path in (write_zip(tmp_path / "x.zip", held), write_tar(tmp_path / "x.tar", held)):
        found, left = read(path, parts=2, limits=Limits(members=7, ratio=1000))
        assert (len(found), left) == (7, ["too_large"])


def test_names_are_no_paths_and_each_is_given_once(tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w") as archive:
        for name in ("../../etc/passwd", "/etc/passwd", "twice", "twice", "twice#2"):
            info = tarfile.TarInfo(name)
            info.size = len(name)
            archive.addfile(info, io.BytesIO(name.encode()))
    found, left = read(path)
    assert list(found) == ["../../etc/passwd", "/etc/passwd", "twice", "twice#2", "twice#2#2"]
    assert left == []


def test_a_name_in_latin_1_keeps_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT, encoding="latin-1") as archive:
        archive.addfile(tarfile.TarInfo("Müller"), io.BytesIO())
    (name,), _ = read(path)
    assert name.encode("utf-8", "surrogateescape") == "Müller".encode("latin-1")


def test_folders_are_nothing_and_links_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w") as archive:
        for name, kind in (
            ("d", tarfile.DIRTYPE),
            ("l", tarfile.SYMTYPE),
            ("h", tarfile.LNKTYPE),
            ("c", tarfile.CHRTYPE),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
    assert read(path) == ({"l": "not_a_file", "h": "not_a_file", "c": "not_a_file"}, [])


def _with_checksum(header: bytearray) -> bytes:
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


def _hostile(kind: bytes, size: bytes) -> bytes:
    header = bytearray(tarfile.TarInfo("x").tobuf()[:512])
    header[156:157], header[124:136] = kind, size
    return _with_checksum(header)


@pytest.mark.parametrize("kind", [b"0", b"x", b"L", b"g"])
@pytest.mark.parametrize("size", [b"\xff" * 12, b"77777777777\0", b"\x80" + b"\xff" * 11, b"nonsense...."])
def test_headers_that_lie_end_the_archive_and_nothing_else(tmp_path: Path, kind: bytes, size: bytes) -> None:
    good = write_tar(tmp_path / "good.tar", {"a": b"good"}).read_bytes()[:1024]
    path = tmp_path / "x.tar"
    path.write_bytes(good + _hostile(kind, size) * 40 + bytes(1024))
    found, left = read(path)
    assert found["a"] == b"good"
    assert set(found.values()) <= {b"good", "truncated"}
    assert left in (["bad_archive"], ["truncated"])


def test_what_stands_between_or_behind_the_members_is_told(tmp_path: Path) -> None:
    raw = write_tar(tmp_path / "x.tar", {"a": b"a"}).read_bytes()
    (tmp_path / "x.tar").write_bytes(raw[:1024] + b"rubbish" * 100 + bytes(2048))
    assert read(tmp_path / "x.tar") == ({"a": b"a"}, ["bad_archive"])
    (tmp_path / "x.tar").write_bytes(raw + raw)
    assert read(tmp_path / "x.tar") == ({"a": b"a"}, ["bad_archive"])


def test_an_archive_that_changed_since_the_listing_is_unreadable_once(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "x.zip", files())
    item = SourceObject(str(path), 7, "e")
    told = []
    for part in range(2):
        try:
            assert list(members(Store(), "a", item, "zip", (part, 2), LIMITS)) == []
        except Unusable as error:
            told.append(error.reason)
    assert told == ["unreadable"]


def test_a_store_that_fails_stops_the_job(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "x.tgz", files(), "w:gz")

    class Failing(io.FileIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError(5, "Input/output error")

    class Broken(Store):
        def open(self, uri: str) -> Failing:  # type: ignore[override]
            return Failing(uri)

    item = SourceObject(str(path), path.stat().st_size, "e")
    with pytest.raises(StorageError):
        list(members(Broken(), "archive a", item, "gz", (0, 1), LIMITS))


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"PK\3\4", "zip"), (b"PK\5\6", "zip"), (b"\x1f\x8b\x08", "gz"), (b"BZh9", "bz2"), (b"\xfd7zXZ\0", "xz"),
        (bytes(257) + b"ustar\0", "tar"), (b"PK\3\4" + bytes(124) + b"DICM", None), (bytes(128) + b"DICM", None),
        (b"\x08\0\x05\0CS", None), (b"<html>", None), (b"", None),
    ],
)  # fmt: skip
def test_a_dicom_object_is_never_taken_for_an_archive(head: bytes, kind: str | None) -> None:
    assert archive_kind(head) == kind


def test_names_of_archives() -> None:
    assert all(map(archive_name, ("a.zip", "A.ZIP", "a.tar", "a.tgz", "a.tar.gz", "a.tar.bz2", "a.tar.xz")))
    assert not any(map(archive_name, ("a", "a.dcm", "a.gz", "zip", "a.zip.dcm")))


def test_headers_of_members_that_were_read_are_let_go(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "x.tar", {f"{n}": b"x" for n in range(90)})
    item = SourceObject(str(path), path.stat().st_size, "e")
    for number, _ in enumerate(members(Store(), "a", item, "tar", (0, 1), LIMITS)):
        if number == 80:
            assert sum(type(one) is tarfile.TarInfo for one in gc.get_objects()) < 20


_GROWTH = """
import resource, sys
from medray.contracts import SourceObject
from medray.storage.archive import members
from medray.storage.member import Limits
from medray.storage.store import Store
import os, pathlib
path = sys.argv[1]
item = SourceObject(path, os.path.getsize(path), "e")
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
before, total = peak(), 0
for member in members(Store(), "a", item, sys.argv[2], (0, 1), Limits(10**6, 10**6)):
    total += len(member.read())
print(total, (peak() - before) // 1024)
"""


@pytest.mark.parametrize(("name", "kind"), [("x.tar", "tar"), ("x.tgz", "gz"), ("x.zip", "zip")])
def test_memory_does_not_follow_the_archive(tmp_path: Path, name: str, kind: str) -> None:
    held = ((f"{n}", bytes(20 * 2**20)) for n in range(20))
    path = tmp_path / name
    if kind == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for member, data in held:
                archive.writestr(member, data)
    else:
        _write_large(path, held, "w" if kind == "tar" else "w:gz")
    told = subprocess.run([sys.executable, "-c", _GROWTH, str(path), kind], capture_output=True, text=True, check=True)
    total, megabytes = map(int, told.stdout.split())
    assert total == 400 * 2**20
    assert megabytes < 100


def _write_large(path: Path, held: Iterator[tuple[str, bytes]], mode: str) -> None:
    options = {} if mode == "w" else {"compresslevel": 1}
    with tarfile.open(path, mode, **options) as archive:  # type: ignore[call-overload]
        for name, data in held:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
