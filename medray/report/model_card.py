"""A model card as a page: what the model is for, what it was made of, how good it is, what it cannot do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from medray.report.answers import single_answers
from medray.report.digits import count
from medray.report.lineage import lineage_table
from medray.report.metric_words import NAMES, Json, headline, metric_table
from medray.report.model_card_data import calibration_group, data_group
from medray.report.sections import (
    Cell,
    Figure,
    Group,
    Highlights,
    Interval,
    Link,
    Number,
    Quantity,
    Report,
    Section,
    Table,
    Text,
)
from medray.report.training import training_curves

NOTHING = "Nothing is said."
OPTIMISTIC = (
    "The best epoch, the calibration and the thresholds were chosen on these very subjects: the numbers are optimistic."
)
FIELDS = {
    "intended_use": "intended use", "exclusions": "exclusions", "data": "data", "split": "split",
    "metrics": "metrics", "calibration": "calibration", "limits": "limits", "licence": "licence", "lineage": "lineage",
}  # fmt: skip


def model_card_report(card: Json) -> Report:
    """The page of a model card, from its JSON (`medray models show --json`).

    Links lead to reports of the same lake, as the page lies in `models/<name>/cards/`.
    """
    sections: list[Section] = [*_status(card), _glance(card), _use(card), _limits(card), data_group(card)]
    sections += [_quality(card)]
    if card["calibration"]:
        sections.append(calibration_group(card["calibration"]))
    if card["history"]:
        sections.append(_training(card["history"]))
    made = {"task": card["task"], card["family"] or "family": card["family_config"], "training": card["training"]}
    sections += [_settings(made), lineage_table(_linked(card["lineage"]))]
    return Report(
        f"Model card: {card['name']} version {card['version']}",
        card["data"].get("question", ""),
        (
            ("Trained on", str(card["trained_on"] or "not known")),
            ("Status", status_of(card)),
            ("Reads", str(card["family"])),
            ("Answers", str(card["task"].get("kind"))),
            ("Model", card["lineage"]["model_sha256"][:12]),
            ("Words by", _author(card)),
        ),
        tuple(sections),
    )


def status_of(card: Json) -> str:
    """Whether it scores at night, and since when."""
    times = [one["at"][:10] for one in card["promotions"]]
    if card["in_production"]:
        return f"in production since {times[-1]}"
    return f"was in production from {times[-1]}" if times else "never in production"


def lineage_of(lineage: Json) -> dict[str, str]:
    """What the model follows from, in words."""
    tables = lineage.get("tables_read") or {}
    return {
        "Model SHA-256 (weights and definition)": str(lineage["model_sha256"]),
        "Trained by run": str(lineage.get("run_id")),
        "Code": str(lineage.get("code_version")),
        "Recipe SHA-256": str(lineage.get("recipe_sha256")),
        "Table versions read": ", ".join(f"{name} {version}" for name, version in sorted(tables.items())),
    }


def _linked(lineage: Json) -> dict[str, str | Link]:
    report = {"Report of the training": Link("open", _report(lineage["run_id"]))} if lineage["report"] else {}
    return {**lineage_of(lineage), **report}


def _report(run_id: str) -> str:
    return f"../../../reports/{run_id}/report.html"


def _author(card: Json) -> str:
    said = card["described"]
    return f"description {said['number']}, {said['at'][:10]}" if said else "its recipe"


def _status(card: Json) -> tuple[Text, ...]:
    if not card["empty"]:
        return ()
    names = ", ".join(FIELDS[name] for name in card["empty"])
    return (Text("Not complete", (f"Nothing is known of: {names}. This version cannot be promoted.",), "caution"),)


def _glance(card: Json) -> Highlights:
    numbers: list[Number] = []
    told = [("held-out", one["metrics"]) for one in card["evaluations"] if one["split"] == "held_out"][:1]
    for split, metrics in (*told, ("tuning", card["tuning"])):
        for label, found in list(metrics.items())[:2]:
            name, value = headline(found)
            optimistic = "optimistic; " if split == "tuning" else ""
            meaning = f"{label}, {optimistic}{count(found['n_subjects'])} subjects"
            numbers.append(Number(f"{name}, {split}", value, meaning))
    for split in ("train", "tuning"):
        known = card["data"].get("splits", {}).get(split, {})
        if "subjects" in known:
            inputs = f"with {count(known['inputs'])} inputs"
            numbers.append(Number(f"Subjects, {split}", known["subjects"], inputs))
    return Highlights("At a glance", tuple(numbers), "In small: 95% intervals by subject." if numbers else "")


def _use(card: Json) -> Group:
    said = card["declared"]
    return Group(
        "Use",
        (
            Text("What it is for", _paragraphs(said.get("intended_use"))),
            Text("What it is not for", _paragraphs(said.get("exclusions")), "caution"),
            Text("Licence", _paragraphs(said.get("licence"))),
        ),
    )


def _limits(card: Json) -> Group:
    found = tuple(card["limits"]) or ("Nothing stands out.",)
    return Group(
        "Limits",
        (Text("As its makers say", _paragraphs(card["declared"].get("limits"))),
         Text("As its numbers say", found, "caution" if card["limits"] else "plain")),
    )  # fmt: skip


def _paragraphs(text: Any) -> tuple[str, ...]:
    parts = tuple(" ".join(part.split()) for part in str(text or "").split("\n\n") if part.strip())
    return parts or (NOTHING,)


def _quality(card: Json) -> Group:
    parts: list[Table | Text] = []
    if card["evaluations"]:
        parts.append(_evaluations(card))
    else:
        parts.append(Text("", ("No evaluation of this model is in the lake: run the job evaluate.",), "caution"))
    if card["cross_validation"]:
        parts.append(_cross_validation(card["cross_validation"]))
    for label, found in single_answers(card["tuning"]).items():
        table = metric_table(f"{label}, on the tuning split", found)
        parts.append(Table(table.title, table.columns, table.rows, f"{OPTIMISTIC} {table.note}"))
    return Group("How good it is", tuple(parts))


def _evaluations(card: Json) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for one in card["evaluations"]:
        page = Link(one["run_date"], _report(one["run_id"]))
        split = str(one["split"] or "not known").replace("_", "-")
        for label, found in one["metrics"].items():
            name, value = headline(found)
            rows.append((page, split, label, name, value, found["n"], found["n_subjects"]))
        if not one["metrics"]:
            rows.append((page, split, "not kept", None, None, None, None))
    columns = ("Report of", "Split", "Question", "Metric", "Value", "Examples", "Subjects")
    return Table("Evaluations", columns, tuple(rows), "Newest first. In brackets: intervals by subject.")


def _cross_validation(found: Json) -> Table:
    """What trainings on other folds have come to, on the fold that each has not seen."""
    rows = tuple(
        (one["answer"], NAMES.get(one["metric"], one["metric"]),
         Interval(one["value"], one["lower"], one["upper"]),
         *(Interval(one[over], None, None) for over in ("over_folds", "over_seeds")))
        for one in found["metrics"]
    )  # fmt: skip
    columns = ("Question", "Metric", "Mean over seeds", "Deviation over folds", "Deviation over seeds")
    told = [f"{found['folds']} folds by subject, {len(found['seeds'])} seed(s). In brackets: intervals by subject."]
    return Table("Cross-validation", columns, rows, " ".join([*told, *found["verdicts"]]))


def _training(history: Any) -> Figure:
    epochs = [
        {"epoch": int(record["epoch"]), "train_loss": record["loss"], "tuning_loss": record["tuning_loss"]}
        for record in history
    ]
    return Figure(
        "Training",
        training_curves(epochs),
        f"Losses over {len(epochs)} epochs.",
        "A tuning loss that rises while the training loss falls is overfitting.",
        wide=True,
    )


def _settings(parts: Mapping[str, Json]) -> Table:
    rows = tuple((part, name, value) for part, settings in parts.items() for name, value in _flat(settings))
    return Table("Settings", ("Of", "Setting", "Value"), rows)


def _flat(document: Json, place: str = "") -> list[tuple[str, Cell]]:
    found: list[tuple[str, Cell]] = []
    for name, value in document.items():
        if isinstance(value, Mapping):
            if set(value) >= {"value", "lower", "upper"}:
                found.append((f"{place}{name}", Interval(value["value"], value["lower"], value["upper"])))
            else:
                found += _flat(value, f"{place}{name}.")
        elif isinstance(value, list | tuple):
            found.append((f"{place}{name}", ", ".join(str(one) for one in value)))
        else:
            found.append((f"{place}{name}", Quantity(str(value))))
    return found
