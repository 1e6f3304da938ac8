"""The key comes by reference, and is long enough."""

from __future__ import annotations

from pathlib import Path

import pytest

from medray.errors import RecipeError
from medray.privacy.keys import load_key

SECRET = b"0123456789abcdef0123456789abcdef"


def test_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITE_KEY", f" {SECRET.decode()}\n")
    assert load_key("env:SITE_KEY") == SECRET


def test_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").write_bytes(SECRET + b"\n")
    assert load_key(f"file:{tmp_path}/key") == SECRET
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load_key("file:~/key") == SECRET


def test_a_short_or_absent_secret_is_refused_without_quoting_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITE_KEY", SECRET[:-1].decode())
    with pytest.raises(RecipeError, match="31 bytes behind 'env:SITE_KEY'") as raised:
        load_key("env:SITE_KEY")
    assert SECRET[:-1].decode() not in str(raised.value)
    monkeypatch.delenv("SITE_KEY")
    with pytest.raises(RecipeError, match="0 bytes"):
        load_key("env:SITE_KEY")


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="No such file"):
        load_key(f"file:{tmp_path}/missing")
    with pytest.raises(RecipeError, match="Is a directory"):
        load_key(f"file:{tmp_path}")


def test_a_secret_in_place_of_a_reference_is_refused_without_quoting_it() -> None:
    with pytest.raises(RecipeError, match="no reference") as raised:
        load_key(SECRET.decode())
    assert SECRET.decode() not in str(raised.value)
