"""A recipe as TOML 1.0, for a person to read and for `load` to take."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_WIDTH, _SHORT = 118, 90


def toml_text(document: Mapping[str, Any], comments: Sequence[str] = ()) -> str:
    """The document with the comments above it. Values are text, numbers, booleans, lists and tables, as
    TOML has no other word for nothing than to leave a key out.

    Raises:
        TypeError: a value that TOML cannot say.
    """
    head = [f"# {line}".rstrip() for line in comments]
    return "\n".join([*head, *_table(document, ())]).rstrip("\n") + "\n"


def _table(table: Mapping[str, Any], path: tuple[str, ...]) -> list[str]:
    """Plain keys first: after a header, keys belong to it."""
    plain = {key: value for key, value in table.items() if not _is_section(value)}
    lines = [f"{_key(key)} = {_value(value)}" for key, value in plain.items()]
    for key, value in table.items():
        if key in plain:
            continue
        name = ".".join(map(_key, (*path, key)))
        tables = [value] if isinstance(value, Mapping) else value
        header = f"[{name}]" if isinstance(value, Mapping) else f"[[{name}]]"
        for one in tables:
            lines += ["", header, *_table(one, (*path, key))]
    return lines


def _is_section(value: Any) -> bool:
    if isinstance(value, Mapping):
        return True
    return isinstance(value, list | tuple) and bool(value) and all(isinstance(one, Mapping) for one in value)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        # JSON's escapes are TOML's; DEL alone may stand in JSON and not in TOML.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_key(key)} = {_value(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list | tuple):
        return _array([_value(one) for one in value])
    raise TypeError(f"a value of a recipe that TOML cannot say: {type(value).__name__}")


def _array(items: Sequence[str]) -> str:
    """On one line where there is room behind a key, filled lines where not."""
    if len(", ".join(items)) <= _SHORT:
        return "[" + ", ".join(items) + "]"
    lines = [""]
    for item in items:
        if lines[-1] and len(lines[-1]) + len(item) + 2 > _WIDTH:
            lines.append("")
        lines[-1] += f" {item}," if lines[-1] else f"  {item},"
    return "[\n" + "\n".join(lines) + "\n]"


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else json.dumps(key, ensure_ascii=False).replace("\x7f", "\\u007f")
