"""Of a model card: what the model was made of, and whether its scores mean what they say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from matplotlib.axes import Axes

from medray.report.canvas import NEGATIVE, POSITIVE, QUIET, svg, unit_square
from medray.report.digits import decimal, percent
from medray.report.metric_words import Json
from medray.report.sections import Cell, Figure, Gallery, Group, Interval, Quantity, Table, Text

SPLITS = ("train", "tuning", "held_out")
MOST_DRAWN = 6  # questions
TRAITS = {
    "sex": "Sex", "age": "Age", "site": "Site (pseudonym)", "scanner": "Scanner (pseudonym)", "maker": "Maker",
    "modality": "Modality",
}  # fmt: skip


def data_group(card: Json) -> Group:
    """Who was asked what, how subjects were split, how many there were of each kind."""
    data = card["data"]
    told = (data.get("cohort", ""), *_meanings(data), *_sources(card["sources"]), *_years(data))
    parts: list[Table | Text] = [Text("", told)]
    parts.append(_splits(data.get("splits", {}), split_words(card["split"])))
    if answers := _answers(data.get("splits", {})):
        parts.append(answers)
    if groups := _groups(data.get("groups", {})):
        parts.append(groups)
    return Group("Data", tuple(parts))


def split_words(split: Json) -> str:
    """How subjects come into their split."""
    if split.get("label"):
        return f"The label {split['label']!r} of the label file says which split a subject is in."
    if split.get("salt"):
        return (
            f"By a salted hash of the subject (salt {split['salt']!r}): {100 * split['held_out']:g}% held out, "
            f"{100 * split['tuning']:g}% tuning, the rest training. A subject is in one split for ever."
        )
    return "How subjects were split is not known."


def _meanings(data: Json) -> list[str]:
    return [f"{name}: {words}." for name, words in data.get("targets", {}).items()]


def _sources(tables: Json) -> list[str]:
    told = ", ".join(f"{name} (version {version})" for name, version in tables.items())
    return [f"Read from the tables {told}."] if told else []


def _years(data: Json) -> list[str]:
    if not data.get("years"):
        return []
    first, last = data["years"]
    return [f"Its inputs are of {first if first == last else f'{first} to {last}'}, as stored: dates may be moved."]


def _splits(splits: Json, note: str) -> Table:
    rows = tuple(
        (name.replace("_", "-"), *(splits[name].get(what) for what in ("inputs", "subjects", "examples")))
        for name in SPLITS
        if name in splits
    )
    return Table("Splits", ("Split", "Inputs", "Subjects", "Examples"), rows, note)


def _answers(splits: Json) -> Table | None:
    learnt = {split: splits.get(split, {}).get("answers", {}) for split in ("train", "tuning")}
    rows: list[tuple[Cell, ...]] = []
    for label, counts in learnt["train"].items():
        both = [counts, learnt["tuning"].get(label, {})]
        if "mean" in counts:
            spread = [f"{decimal(one['mean'])} \N{PLUS-MINUS SIGN} {decimal(one['deviation'])}" for one in both if one]
            rows.append((label, "mean and deviation", *spread))
            continue
        rows += [(label, name, *(_share(one, name) for one in both)) for name in counts]
    if not rows:
        return None
    note = "The answers of the held-out split are not looked at."
    return Table("Answers", ("Question", "Answer", "Train", "Tuning"), tuple(rows), note)


def _share(counts: Json, name: str) -> Quantity:
    found = counts.get(name, 0)
    return Quantity(f"{found:,} ({percent(found, sum(counts.values()))})")


def _groups(groups: Json) -> Table | None:
    rows: list[tuple[Cell, ...]] = []
    for trait, name in group_names(groups):
        counts = (groups[trait].get(split, {}).get(name, 0) for split in ("train", "tuning"))
        rows.append((TRAITS[trait], name, *counts))
    if not rows:
        return None
    return Table("Subjects by group", ("Trait", "Value", "Train", "Tuning"), tuple(rows))


def group_names(groups: Json) -> Iterator[tuple[str, str]]:
    """(trait, value) of all groups that there are, largest first within a trait."""
    for trait in TRAITS:
        splits = groups.get(trait, {})
        size: Counter[str] = Counter()
        for counts in splits.values():
            size.update(counts)
        yield from ((trait, name) for name, _ in size.most_common())


def calibration_group(calibration: Json) -> Group:
    """How scores were calibrated, and by how much they are wrong before and after."""
    text = Text("", (f"Scores are calibrated by {calibration['method']}.",))
    questions = calibration["questions"]
    if not questions:
        return Group("Calibration", (text,))
    rows = tuple(
        (label, one["n"], *(_number(one[when][name]) for name in ("ece", "brier") for when in ("before", "after")))
        for label, one in questions.items()
    )
    columns = ("Question", "Examples", "ECE before", "ECE after", "Brier before", "Brier after")
    note = "On the tuning split, where the calibration was fitted. ECE: mean gap of score and observed share, 10 bins."
    drawn = tuple(_reliability(label, one) for label, one in list(questions.items())[:MOST_DRAWN])
    return Group("Calibration", (text, Table("", columns, rows, note), Gallery("", drawn)))


def _number(value: float | None) -> Interval:
    return Interval(value, None, None)


def _reliability(label: str, change: Json) -> Figure:
    def draw(axes: Axes) -> None:
        axes.plot([0, 1], [0, 1], color=QUIET, linewidth=0.9, linestyle=(0, (4, 4)))
        for when, colour, form in (("before", POSITIVE, "--o"), ("after", NEGATIVE, "-o")):
            points = change[when]
            axes.plot(
                points["mean_score"], points["observed"], form, color=colour, linewidth=1.6, markersize=5,
                markeredgecolor="white", label=f"{when} (ECE {decimal(points['ece'])})",
            )  # fmt: skip
        axes.legend(loc="upper left")
        unit_square(axes, "score", "observed share")

    return Figure(
        label,
        svg(draw),
        f"Observed share of {label} against its score, before and after calibration.",
        "On the diagonal, a score of 0.8 is right eight times in ten.",
    )
