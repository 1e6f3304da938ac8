"""The report of a search: what won, by how much, and how every trial went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from medray.report.digits import count
from medray.report.lineage import lineage_table
from medray.report.render import render
from medray.report.sections import (
    Cell,
    Figure,
    Gallery,
    Highlights,
    Number,
    Quantity,
    Report,
    Section,
    Table,
    Text,
)  # fmt: skip
from medray.report.trials import Trials, setting_against_loss, trial_curves

_CLOSE = 0.01  # of the loss: trials that another seed could well have put first
_STATES = {"finished": "finished", "stopped": "stopped early", "failed": "failed"}


def search_report(
    *,
    title: str,
    subtitle: str,
    facts: Sequence[tuple[str, str]],
    found: Mapping[str, Any],
    rungs: Sequence[int],
    recipe_file: str,
    lineage: Mapping[str, str],
) -> str:
    """The report of one search as an HTML page.

    Args:
        title, subtitle, facts: the head of the page.
        found: `best`, the number of the best trial; `epochs` of a trial at most; `trials`: of each its
            number (`trial`), `values` of the settings, `state`, `failed` (the reason), `epochs`, `loss`,
            `tuning_losses`; `log`: names of settings that were drawn by factors.
        rungs: epochs after which trials are judged.
        recipe_file: the name of the best recipe, beside the page.
        lineage: run, code, recipe, table versions.
    """
    trials, best = found["trials"], found["best"]
    ranked = sorted(trials, key=lambda one: _rank(one, best))
    sections: tuple[Section, ...] = (
        _highlights(ranked, trials[0], found["epochs"]),
        _caution(ranked),
        _changes(ranked[0], trials[0], recipe_file),
        _curves(trials, best, rungs),
        _settings(trials, best, found["log"]),
        _table(ranked),
        lineage_table(lineage),
    )
    return render(Report(title, subtitle, facts, sections))


def _rank(trial: Mapping[str, Any], best: int) -> tuple[bool, bool, bool, float, int]:
    """The best, then those that finished, then others; each by loss."""
    loss = trial["loss"]
    return (
        trial["trial"] != best,
        trial["state"] == "failed",
        trial["state"] != "finished",
        float("inf") if loss is None else loss,
        trial["trial"],
    )


def _highlights(ranked: Trials, own: Mapping[str, Any], most: int) -> Highlights:
    best, counts = ranked[0], {state: sum(one["state"] == state for one in ranked) for state in _STATES}
    epochs = sum(one["epochs"] for one in ranked)
    return Highlights(
        "What was found",
        (
            Number("Tuning loss of the best trial", _loss(best), f"trial {best['trial']} of {count(len(ranked))}"),
            Number("The recipe as it was", _loss(own), _beside(best, own)),
            Number(
                "Trials that finished",
                counts["finished"],
                f"{counts['stopped']} stopped early, {counts['failed']} failed",
            ),
            Number("Epochs trained", epochs, f"of {count(most * len(ranked))}, had no trial been stopped"),
        ),
        "The loss is that of the weights that the training would keep, on the tuning split.",
    )


def _beside(best: Mapping[str, Any], own: Mapping[str, Any]) -> str:
    if own["loss"] is None:
        return "trial 0, which failed"
    if best["trial"] == own["trial"]:
        return "trial 0: no other trial did better"
    return f"trial 0; the best is {(own['loss'] - best['loss']) / abs(own['loss'] or 1.0):.1%} lower"


def _caution(ranked: Trials) -> Text:
    """How far the winner can be trusted."""
    best = ranked[0]
    others = [one for one in ranked[1:] if one["state"] == "finished"]
    told = [
        f"The best of {count(len(ranked))} trials was chosen by its loss on the tuning split, so this loss is "
        "optimistic: on subjects that no trial has seen it is likely to be higher. The held-out split was not read; "
        "train the recipe and evaluate it there, once."
    ]
    if others:
        near = [one for one in others if one["loss"] - best["loss"] <= _CLOSE * abs(best["loss"])]
        losses = [one["loss"] for one in others]
        told.append(
            f"The next is trial {others[0]['trial']}, {losses[0] - best['loss']:.4f} above; of the {len(others) + 1} "
            f"that finished the last lies {max(losses) - best['loss']:.4f} above the best. {_near(near)}"
        )
    else:
        told.append("No other trial finished: nothing is known of how close the next would have come.")
    return Text("How much that says", tuple(told), "caution")


def _near(near: Trials) -> str:
    if not near:
        return f"None is within {_CLOSE:.0%} of it."
    numbers = ", ".join(str(one["trial"]) for one in near[:6]) + (", ..." if len(near) > 6 else "")
    return (
        f"{len(near)} of them ({numbers}) {'is' if len(near) == 1 else 'are'} within {_CLOSE:.0%}: another seed could "
        "have put them first. What they agree on matters more than what the first has alone."
    )


def _changes(best: Mapping[str, Any], own: Mapping[str, Any], recipe_file: str) -> Table:
    names = list(dict.fromkeys([*best["values"], *own["values"]]))
    rows = tuple((name, _value(own["values"].get(name)), _value(best["values"].get(name))) for name in names)
    note = f"The whole recipe is {recipe_file} beside this page; jobs/train.py takes it as it is."
    return Table("The settings that won", ("Setting", "The recipe as it was", f"Trial {best['trial']}"), rows, note)


def _curves(trials: Trials, best: int, rungs: Sequence[int]) -> Figure:
    judged = ", ".join(map(str, rungs))
    return Figure(
        "How the trials went",
        trial_curves(trials, best, rungs),
        f"Tuning loss over the epochs of {len(trials)} trials; the lowest is that of trial {best}.",
        f"Dotted lines: trials are judged after epoch {judged} and go on when they are among the best of those with "
        "lower numbers (ASHA)." if rungs else "",
        wide=True,
    )  # fmt: skip


def _settings(trials: Trials, best: int, log: Sequence[str]) -> Gallery:
    seen = [(name, str(value)) for one in trials for name, value in one["values"].items()]
    names = [
        name for name in dict.fromkeys(name for name, _ in seen) if len({one for one in seen if one[0] == name}) > 1
    ]
    figures = tuple(
        Figure(
            name,
            setting_against_loss(trials, name, best, name in log),
            f"Lowest tuning loss of each trial against {name}.",
        )
        for name in names
    )
    note = (
        "Orange: the best. Black: the recipe as it was. Blue: finished. Hollow: stopped early (grey) or failed (red), "
        "with what they had reached. All settings differ between two trials, so a trend is a hint, not an effect."
    )
    return Gallery("Loss by setting", figures, note)


def _table(ranked: Trials) -> Table:
    names = list(dict.fromkeys(name for one in ranked for name in one["values"]))
    columns = ("Trial", "Loss", "Epochs", "Outcome", *(name.partition(".")[2] for name in names))
    rows = tuple(
        (
            one["trial"],
            _loss(one),
            one["epochs"],
            _outcome(one),
            *(_value(one["values"].get(name)) for name in names),
        )
        for one in ranked
    )
    return Table("All trials", columns, rows)


def _outcome(trial: Mapping[str, Any]) -> str:
    return f"failed: {trial['failed']}" if trial["state"] == "failed" else _STATES[trial["state"]]


def _loss(trial: Mapping[str, Any]) -> Cell:
    return None if trial["loss"] is None else Quantity(f"{trial['loss']:.4f}")


def _value(value: Any) -> Cell:
    if value is None or isinstance(value, str):
        return value
    return Quantity(f"{value:g}" if isinstance(value, float) else str(value))
