"""Which code ran: the package's version and a hash of its source files, with or without git."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import medray


@cache
def code_version() -> str:
    """For example `0.1.0+5f3c2a9d81b0`. Equal on every machine with the same source files."""
    root = Path(medray.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return f"{medray.__version__}+{digest.hexdigest()[:12]}"
