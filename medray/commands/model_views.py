"""Models in a terminal: tables that wrap at its width."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from medray.report.digits import ABSENT, count, decimal, interval
from medray.report.metric_words import NAMES, headline, in_order
from medray.report.model_card import FIELDS, lineage_of, status_of
from medray.report.model_card_data import SPLITS, TRAITS, group_names, split_words
from medray.report.sections import Interval

Json = Mapping[str, Any]
_DECLARED = ("intended_use", "exclusions", "limits", "licence")
_PAIRED = (
    "Intervals that overlap do not say that two models are equally good. A paired test on the same inputs does: the "
    "job `evaluate` of one of them with the other in [against]."
)


def shelf_view(cards: Sequence[Json]) -> RenderableType:
    """One row a version."""
    if not cards:
        return Text("  no model in this lake yet")
    columns = ("model", "version", "trained", "answers", "metric", "on", "production", "card")
    rows = [
        (
            card["name"],
            str(card["version"]),
            str(card["trained_on"] or ABSENT),
            str(card["task"].get("kind", ABSENT)),
            *_best_known(card),
            "yes" if card["in_production"] else "",
            f"{len(card['empty'])} empty" if card["empty"] else "complete",
        )
        for card in cards
    ]
    return _table(columns, rows)


def card_view(card: Json) -> RenderableType:
    """A model card, top to bottom."""
    said = card["declared"]
    empty = ", ".join(FIELDS[name] for name in card["empty"])
    about = [
        ("question", card["data"].get("question", ABSENT)),
        ("status", status_of(card)),
        ("trained on", str(card["trained_on"] or ABSENT)),
        ("card", f"nothing in: {empty}; it cannot be promoted" if empty else "complete"),
        ("page", card["page"] or "none was written: medray models describe, promote and evaluate write it"),
    ]
    words = [(FIELDS[name], str(said.get(name) or ABSENT)) for name in _DECLARED]
    return Group(
        *_part(f"{card['name']} version {card['version']}", _pairs(about)),
        *_part("What people say of it", _pairs(words)),
        *_part("What its numbers say", _lines(card["limits"] or ["nothing stands out"])),
        *_part("Data", _pairs(_data(card))),
        *_part("Subjects and answers", _counts(card)),
        *_part("Groups", _groups(card["data"].get("groups", {}))),
        *_part("How good it is (95% intervals by subject; on tuning subjects they are optimistic)", _metrics(card)),
        *_part("Calibration", _calibration(card["calibration"])),
        *_part("Lineage", _pairs(list(lineage_of(card["lineage"]).items()))),
    )


def comparison_view(found: Json) -> RenderableType:
    """Differences of two versions, then their metrics."""
    names = [f"version {version}" for version in found["versions"]]
    metrics = [
        (_split(row["split"]), str(row["question"]), NAMES.get(row["metric"], str(row["metric"])),
         _estimate(row["first"]), _estimate(row["second"]))
        for row in _by_question(found["metrics"])
    ]  # fmt: skip
    return Group(
        *_part(f"{found['name']}: recipe", _differences(found["recipe"], names)),
        *_part("Data", _differences(found["data"], names)),
        *_part("How good they are", _table(("on", "question", "metric", *names), metrics)),
        *_part("How to read this", _lines([_tuning(found["same_tuning"]), _PAIRED])),
    )


def _by_question(rows: Sequence[Json]) -> list[Json]:
    """Splits and questions as they come, their metrics as they are told everywhere."""
    places = list(dict.fromkeys((row["split"], row["question"]) for row in rows))
    names = in_order({row["metric"] for row in rows})
    return sorted(rows, key=lambda row: (places.index((row["split"], row["question"])), names.index(row["metric"])))


def _tuning(same: bool | None) -> str:
    if same is None:
        return "Whether both have the same tuning inputs is not known: one of them was trained in another lake."
    if same:
        return "Both have the very same tuning inputs."
    return "Their tuning inputs differ: metrics on the tuning split cannot be compared."


def _best_known(card: Json) -> tuple[str, str]:
    """The newest held-out number, or that of the tuning split."""
    held_out = (one["metrics"] for one in card["evaluations"] if one["split"] == "held_out" and one["metrics"])
    known: tuple[tuple[str, Json], ...] = (("held-out", next(held_out, {})), ("tuning", card["tuning"]))
    for split, metrics in known:
        for found in metrics.values():
            name, value = headline(found)
            more = f" (+{len(metrics) - 1} more)" if len(metrics) > 1 else ""
            return f"{name} {interval(value)}{more}", split
    return ABSENT, ABSENT


def _data(card: Json) -> list[tuple[str, str]]:
    data = card["data"]
    rows = [("cohort", data.get("cohort", ABSENT)), ("split", split_words(card["split"]))]
    rows += list(data.get("targets", {}).items())
    rows.append(("tables", ", ".join(f"{name} {version}" for name, version in card["sources"].items()) or ABSENT))
    if data.get("years"):
        rows.append(("years", " to ".join(str(year) for year in dict.fromkeys(data["years"]))))
    return rows


def _groups(groups: Json) -> RenderableType:
    rows = [
        (TRAITS[trait], name, *(count(groups[trait].get(split, {}).get(name, 0)) for split in ("train", "tuning")))
        for trait, name in group_names(groups)
    ]
    return _table(("subjects by", "value", "train", "tuning"), rows) if rows else _lines(["no groups are known"])


def _counts(card: Json) -> Table:
    rows = []
    found = card["data"].get("splits", {})
    for split, known in ((split, found[split]) for split in SPLITS if split in found):
        answers = "; ".join(f"{label}: {_answer(counts)}" for label, counts in known.get("answers", {}).items())
        numbers = (count(known[name]) if name in known else ABSENT for name in ("subjects", "inputs", "examples"))
        rows.append((_split(split), *numbers, answers or "not looked at"))
    return _table(("split", "subjects", "inputs", "examples", "answers"), rows)


def _answer(counts: Json) -> str:
    if "mean" in counts:
        return f"mean {decimal(counts['mean'])}, deviation {decimal(counts['deviation'])}"
    whole = sum(counts.values()) or 1
    return ", ".join(f"{name} {number:,} ({100 * number / whole:.1f}%)" for name, number in counts.items())


def _metrics(card: Json) -> Table:
    rows: list[Sequence[str]] = []
    for one in card["evaluations"]:
        rows += _rows(f"{_split(str(one['split']))}, {one['run_date']}", one["metrics"])
    for one in (card["cross_validation"] or {"metrics": ()})["metrics"]:
        rows.append(("folds", one["answer"], ABSENT, NAMES.get(one["metric"], one["metric"]), _estimate(one)))
    return _table(("on", "question", "examples", "metric", "value"), [*rows, *_rows("tuning", card["tuning"])])


def _rows(on: str, metrics: Json) -> Iterable[tuple[str, ...]]:
    for label, found in metrics.items():
        for name in in_order(found["metrics"]):
            yield on, label, count(found["n"]), NAMES.get(name, name), _estimate(found["metrics"][name])


def _calibration(calibration: Json) -> RenderableType:
    rows = [
        (label, *(decimal(one[when][name]) for name in ("ece", "brier") for when in ("before", "after")))
        for label, one in calibration.get("questions", {}).items()
    ]
    method = _lines([calibration.get("method", "not known")])
    if not rows:
        return method
    return Group(method, _table(("question", "ECE before", "ECE after", "Brier before", "Brier after"), rows))


def _estimate(value: Json | None) -> str:
    return interval(Interval(value["value"], value["lower"], value["upper"])) if value else ABSENT


def _split(name: str) -> str:
    return name.replace("_", "-")


def _differences(rows: Sequence[Json], names: Sequence[str]) -> RenderableType:
    if not rows:
        return _lines(["no difference"])
    return _table(("what", *names), [(row["what"], _shown(row["first"]), _shown(row["second"])) for row in rows])


def _shown(value: Any) -> str:
    return ABSENT if value is None else ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _part(title: str, body: RenderableType) -> tuple[RenderableType, ...]:
    return (Text(f"\n{title}", style="bold cyan"), Padding(body, (0, 0, 0, 2), expand=False))


def _lines(lines: Sequence[str]) -> RenderableType:
    table = Table.grid(padding=(0, 1))
    for line in lines:
        table.add_row(Text("-"), Text(line))
    return table


def _pairs(rows: Sequence[tuple[str, str]]) -> Table:
    table = Table.grid(padding=(0, 2))
    for name, value in rows:
        table.add_row(Text(name, style="dim", no_wrap=len(name) < 30), Text(value, overflow="fold"))
    return table


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """Cells are shown as they are: nothing in them is markup."""
    table = Table(
        *columns, box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0), header_style="dim"
    )
    for row in rows:
        table.add_row(*(Text(cell, overflow="fold") for cell in row))
    return table
