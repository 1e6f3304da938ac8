"""What stands behind a prediction, as lines for a person. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_ANSWERS = {"status", "predicted_boolean_value", "predicted_integer_value", "predicted_categorical_value"}
_TITLES = {
    "answer": "The answer",
    "input": "Its input",
    "preparation": "How the input was prepared",
    "model": "The model",
    "run": "The run that scored it",
    "nights": "The nights that the run was a link of",
    "since": "What came after it",
    "recipe": "The recipe of the run",
    "rebuild": "Made again on this machine",
}


def lines(facts: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, list[str]]]:
    """(title, lines) of each section."""
    for name, section in facts.items():
        yield _TITLES[name], list(_of(section, "")) or ["nothing"]
    if "rebuild" in facts:
        yield "Verdict", list(verdict(facts["rebuild"]))


def verdict(rebuild: Mapping[str, Any]) -> Iterator[str]:
    """Whether the row could be made again, in words."""
    if not rebuild["same_code"]:
        yield (
            f"another code: the row was made by {rebuild['code_version_of_row']}, "
            f"this machine has {rebuild['code_version_here']}"
        )
    if rebuild["same"]:
        yield "bit-equal: the raw score and every other column of the row came out the same"
    for name, pair in rebuild["differs"].items():
        stored, again = pair["stored"], pair["rebuilt"]
        numbers = isinstance(stored, float) and isinstance(again, float)
        by = f" (by {again - stored:.2g})" if numbers else ""
        yield f"DIFFERS: {name} is {stored!r} in the lake, {again!r} here{by}"
    if rebuild["differs"] and not rebuild["differs"].keys() & _ANSWERS:
        yield "the answer is the same; another kind of processor (a GPU) changes the last bits of its numbers"


def one_line(choice: Mapping[str, Any]) -> str:
    """A row among several."""
    return ", ".join(f"{name} {value}" for name, value in choice.items())


def _of(value: Mapping[str, Any], indent: str) -> Iterator[str]:
    for name, one in value.items():
        if isinstance(one, Mapping) and one:
            yield f"{indent}{name}:"
            yield from _of(one, indent + "  ")
        elif isinstance(one, list) and one and isinstance(one[0], Mapping):
            yield f"{indent}{name}:"
            yield from (f"{indent}  - {one_line(item)}" for item in one)
        else:
            yield f"{indent}{name}: {_word(one)}"


def _word(value: Any) -> str:
    if value is None or value in ([], {}):
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
