"""The de-identification key, by reference: it never stands in a recipe."""

from __future__ import annotations

import os
from pathlib import Path

from medray.errors import RecipeError

MINIMUM_BYTES = 32


def load_key(reference: str) -> bytes:
    """The secret bytes behind `env:NAME` or `file:PATH` (white space at the ends is not part of it).

    Raises:
        RecipeError: the reference has another form, points nowhere, or the secret is too short.
    """
    kind, _, target = reference.partition(":")
    if kind == "env":
        secret = os.environ.get(target, "").encode()
    elif kind == "file":
        secret = _read(target)
    else:
        raise RecipeError(
            where="[deidentify] key",
            found="a value that is no reference",
            allowed="env:NAME or file:PATH",
            do="put the secret in an environment variable or a file and name it here",
        )
    secret = secret.strip()
    if len(secret) < MINIMUM_BYTES:
        raise RecipeError(
            where="[deidentify] key",
            found=f"{len(secret)} bytes behind {reference!r}",
            allowed=f"{MINIMUM_BYTES} bytes or more",
            do="make one with `openssl rand -hex 32` and keep it as long as the lake",
        )
    return secret


def _read(path: str) -> bytes:
    try:
        return Path(path).expanduser().read_bytes()
    except OSError as error:
        raise RecipeError(
            where="[deidentify] key",
            found=f"file {path!r} that cannot be read ({error.strerror})",
            allowed="a readable file",
            do="check the path and its permissions on this machine",
        ) from error
