"""What a model is asked, about whom and from what, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from medray.recipes.problem import Cohort, Problem, Target

_TAKES = {
    "any": "whether {codes} occurs {window}",
    "first": "the first value of {codes} {window}",
    "last": "the last value of {codes} {window}",
    "mean": "the mean of {codes} {window}",
    "min": "the lowest {codes} {window}",
    "max": "the highest {codes} {window}",
    "hours_to": "hours to the first {codes} {window}",
}


def question(task: Mapping[str, Any]) -> str:
    """What is answered, from a `[task]` as JSON."""
    labels = ", ".join(task.get("labels") or [task.get("label", "")])
    classes = ", ".join(task.get("classes", ()))
    words = {
        "binary": f"{labels}: yes or no",
        "multilabel": f"{labels}: yes or no, each",
        "multiclass": f"{labels}: one of {classes}",
        "ordinal": f"{labels}: one of {classes}, in this order",
        "regression": f"{labels}: a number{' each' * (',' in labels)}",
    }
    return words.get(str(task.get("kind")), f"{labels} ({task.get('kind')})")


def cohort(problem: Problem | None, family: Mapping[str, Any]) -> str:
    """Who is asked about, when, and what may be known then."""
    if problem is None:
        kinds = ", ".join(family.get("modalities") or ())
        return f"Every image{f' ({kinds})' if kinds else ''} that the family takes, each by itself."
    observed = f"the {_hours(problem.observe_hours)} before" if problem.observe_hours else "everything before"
    known = "" if problem.cohort.kind == "subject" else f" What is known: {observed}, and static facts."
    return f"{_asked(problem.cohort)}{known}"


def targets(problem: Problem | None, labels: Sequence[str]) -> dict[str, str]:
    """What each of some labels means by the problem; none of those that a label file holds."""
    asked = problem.targets if problem else {}
    return {name: _target(asked[name]) for name in labels if name in asked}


def _asked(who: Cohort) -> str:
    if who.kind == "subject":
        return "Every subject once; only static facts are known."
    after = f"{_hours(who.after_hours)} after " if who.after_hours else ""
    if who.kind == "trigger":
        unless = f", unless {_codes(who.unless)} came before" if who.unless else ""
        first = "the first" if who.which == "first" else "each"
        return f"Every subject, {after or 'at '}{first} {_codes(who.codes)}{unless}."
    until = f", until {_codes(who.until)}" if who.until else ""
    return f"Every subject, every {_hours(who.every_hours)} from {after}the first {_codes(who.codes)} on{until}."


def _target(target: Target) -> str:
    gap = f", from {_hours(target.gap_hours)} on" if target.gap_hours else ""
    window = f"in the {_hours(target.window_hours)} that follow{gap}" if target.window_hours else f"afterwards{gap}"
    until = f", at most until {_codes(target.until)}" if target.until else ""
    return _TAKES[target.take].format(codes=_codes(target.codes), window=window) + until


def _codes(codes: Sequence[str]) -> str:
    return " or ".join(codes)


def _hours(hours: float | None) -> str:
    return f"{hours:g} h"
