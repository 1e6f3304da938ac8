"""JSON of the subgroups of an evaluation -> for whom the model is good, and for whom nobody can tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from medray.report.digits import count
from medray.report.group_forest import Mark, group_forest
from medray.report.metric_words import NAMES, Json
from medray.report.sections import Cell, Figure, Group, Interval, Table, Text

TITLE = "For whom"
DRAWN = ("auroc", "macro_auroc", "rank_mae", "quadratic_kappa", "mae", "mean_error", "coverage", "accuracy",
         "balanced_accuracy", "sensitivity", "specificity", "observed_to_expected")  # fmt: skip
MOST_DRAWN = 24  # groups of one trait
MOST_SMALL = 4  # groups below the floor that are told one by one
KEY_LETTERS = 12


def subgroups_group(subgroups: Json, bootstrap: Json) -> Group:
    """Each trait with its groups: a forest plot and two tables; absent traits by name and reason."""
    parts: list[Text | Figure | Table] = []
    traits = subgroups["traits"]
    absent = [f"{trait['title']}: absent. {_sentence(trait['absent'])}" for trait in traits.values() if trait["absent"]]
    told = [line for trait in traits.values() for line in _apart(trait)]
    if told:
        parts.append(Text("", tuple(told), "caution"))
    if absent:
        parts.append(Text("", tuple(absent)))
    for trait in traits.values():
        several = len(trait["answers"]) > 1
        for answer, groups in trait["answers"].items():
            title = f"{trait['title']}: {answer}" if several else trait["title"]
            parts += _trait(title, groups, trait["unknown"], subgroups["overall"][answer])
    return Group(TITLE, tuple(parts), _basis(subgroups, bootstrap))


def _basis(subgroups: Json, bootstrap: Json) -> str:
    floor = subgroups["floor"]
    return (
        f"Each group by itself and, as the gap, minus all others whose group is known. Groups of fewer than "
        f"{floor['examples']} examples, or {floor['each_class']} positives or negatives of a yes-or-no answer, are "
        f"counted and not measured. {100 * bootstrap['level']:g}% intervals from {count(bootstrap['resamples'])} "
        "resamples of subjects that all groups share. They are not corrected for the number of groups: of twenty gaps "
        "that are none, one leaves 0 out by chance."
    )


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def _trait(title: str, groups: Sequence[Json], unknown: int, overall: Json) -> list[Text | Figure | Table]:
    measured = [group for group in groups if group["reason"] is None]
    small = [group for group in groups if group["reason"] is not None and group["n"]]
    note = _note(small[MOST_SMALL:], [group["name"] for group in groups if not group["n"]], unknown)
    counted = ("Positive",) if overall["n_positive"] is not None else ()
    rest = tuple(
        (_short(one["name"]), one["n"], *((one["n_positive"],) if counted else ()), one["reason"])
        for one in small[:MOST_SMALL]
    )
    left = Table(f"{title}: not measured", ("Group", "Examples", *counted, "Why"), rest, note)
    if not measured:
        return [left]
    names = [name for name in DRAWN if name in overall["metrics"]]
    figure = Figure(
        title,
        _drawn(measured[:MOST_DRAWN], names, overall),
        f"Metrics by group of {title}: {', '.join(_short(group['name']) for group in measured)}.",
        "Dashed: all examples. Red and hollow: the gap to the rest leaves 0 out.",
        wide=True,
    )
    heads = tuple(NAMES[name] for name in names)
    values = Table(
        "",
        ("Group", "Examples", *counted, *heads),
        tuple(_row(one, names, True) for one in measured),
        "" if rest else note,
    )
    gaps = tuple(_row(one, names, False) for one in measured if one["gap"])
    beside = (Table(f"{title}: gap to the rest", ("Group", *heads), gaps),) if gaps else ()
    return [figure, values, *beside, *((left,) if rest else ())]


def _note(more: Sequence[Json], nobody: Sequence[str], unknown: int) -> str:
    told = []
    if more:
        told.append(f"{len(more)} more groups below the floor, {count(sum(one['n'] for one in more))} examples.")
    if nobody:
        told.append(f"No example: {', '.join(nobody)}.")
    if unknown:
        told.append(f"Not known for {count(unknown)} {'example' if unknown == 1 else 'examples'}.")
    return " ".join(told)


def _row(group: Json, names: Sequence[str], whole: bool) -> tuple[Cell, ...]:
    shown: tuple[Cell, ...] = tuple(
        _interval((group["metrics"] if whole else group["gap"]).get(name)) for name in names
    )
    name = _short(group["name"])
    if not whole:
        return (name, *shown)
    counts = (group["n"],) if group["n_positive"] is None else (group["n"], group["n_positive"])
    return (name, *counts, *shown)


def _interval(found: Json | None) -> Interval:
    return Interval(found["value"], found["lower"], found["upper"]) if found else Interval(None, None, None)


def _drawn(groups: Sequence[Json], names: Sequence[str], overall: Json) -> bytes:
    panels = {NAMES[name]: [_mark(group, name) for group in groups] for name in names}
    whole = {NAMES[name]: overall["metrics"][name]["value"] for name in names}
    return group_forest([f"{_short(group['name'])} ({count(group['n'])})" for group in groups], panels, whole)


def _mark(group: Json, name: str) -> Mark | None:
    found = group["metrics"][name]
    return (
        None if found["value"] is None else Mark(found["value"], found["lower"], found["upper"], _leaves(group, name))
    )


def _leaves(group: Json, name: str) -> bool:
    """The interval of the gap is known and does not hold 0."""
    gap: Mapping[str, float | None] = group["gap"].get(name, {})
    lower, upper = gap.get("lower"), gap.get("upper")
    return lower is not None and upper is not None and not lower <= 0 <= upper


def _apart(trait: Json) -> list[str]:
    """Groups whose ranking, or error, is surely another than that of the rest."""
    found = []
    for answer, groups in trait["answers"].items():
        for group in groups:
            first = next(iter(group["gap"]), None)
            if first is not None and _leaves(group, first):
                gap = group["gap"][first]
                found.append(
                    f"{trait['title']} {_short(group['name'])}: {NAMES[first]} of {answer} differs from the rest by "
                    f"{gap['value']:+.3f} ({gap['lower']:+.3f} to {gap['upper']:+.3f})."
                )
    return found


def _short(name: str) -> str:
    return name if len(name) <= 2 * KEY_LETTERS else f"{name[:KEY_LETTERS]}\N{HORIZONTAL ELLIPSIS}"
