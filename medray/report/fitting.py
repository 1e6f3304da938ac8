"""The report of a training: how it learnt, how fast, and whether its devices were kept busy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from medray.report.canvas import NEGATIVE, POSITIVE, svg
from medray.report.digits import count, duration, percent
from medray.report.lineage import lineage_table
from medray.report.render import render
from medray.report.sections import Figure, Gallery, Highlights, Number, Quantity, Report, Section, Table, Text
from medray.report.training import training_curves

Record = Mapping[str, float]


@dataclass(frozen=True)
class Answer:
    """One answer of a question, and how much it counts in the loss.

    Attributes:
        examples: of the training split that have it.
        drawn: share of an epoch's examples that have it.
        weight: of such an example in the loss.
    """

    question: str
    answer: str
    examples: int
    drawn: float
    weight: float


def fitting_report(
    *,
    title: str,
    subtitle: str,
    facts: Sequence[tuple[str, str]],
    history: Sequence[Record],
    best_epoch: int,
    advice: Sequence[str],
    answers: Sequence[Answer],
    settings: Mapping[str, str],
    lineage: Mapping[str, str],
) -> str:
    """The report of one training as an HTML page.

    Args:
        history: a record an epoch: losses, and `engine.meters.epoch_figures`.
        best_epoch: from 1.
        advice: what to do about devices that wait.
        answers: none for a task without classes.
        settings: of `[training]`, in words.
    """
    sections: list[Section] = [Text("", tuple(advice), "caution")] if advice else []
    sections += [_headline(history, best_epoch), _figures(history)]
    if answers:
        sections.append(_balance(answers))
    sections += [
        _epochs(history),
        Table("Settings", ("Setting", "Value"), tuple(settings.items())),
        lineage_table(lineage),
    ]
    return render(Report(title, subtitle, facts, tuple(sections)))


def _headline(history: Sequence[Record], best_epoch: int) -> Highlights:
    settled = history[1:] or history
    best = history[best_epoch - 1]
    device = max(record["device_memory_bytes"] for record in history)
    memory = device or max(record["host_memory_bytes"] for record in history)
    numbers = [
        Number("Best tuning loss", best["tuning_loss"], f"epoch {best_epoch} of {len(history)}"),
        Number("Examples a second", _mean(settled, "examples_per_s"), "over all workers, from the second epoch on"),
        Number("Waiting for data", _share(settled, "wait_share"), "of the time of the worker that waited longest"),
        Number("GPU memory" if device else "Memory", Quantity(f"{memory / 1e9:.2f} GB"), "the most of a worker"),
    ]
    if "gpu_busy" in history[0]:
        numbers.insert(3, Number("GPU busy", _share(settled, "gpu_busy"), "of the time, as NVML saw it"))
    return Highlights("", tuple(numbers))


def _figures(history: Sequence[Record]) -> Gallery:
    losses = [{name: record[name] for name in ("epoch", "loss", "tuning_loss")} for record in history]
    return Gallery(
        "Epochs",
        (
            Figure("Loss", training_curves(losses), "Training and tuning loss by epoch.", "", True),
            Figure("Pace", _pace(history), "Examples a second by epoch."),
            Figure("Where the time went", _time(history), "Share of each epoch spent waiting for data and training."),
        ),
    )


def _pace(history: Sequence[Record]) -> bytes:
    def draw(axes: Axes) -> None:
        axes.plot(_epoch(history), [record["examples_per_s"] for record in history], "-o", color=NEGATIVE, markersize=4)
        axes.set(xlabel="epoch", ylabel="examples a second", ylim=(0, None))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))

    return svg(draw)


def _time(history: Sequence[Record]) -> bytes:
    def draw(axes: Axes) -> None:
        wait = [100 * record["wait_share"] for record in history]
        axes.bar(_epoch(history), wait, color=POSITIVE, label="waiting for data")
        axes.bar(_epoch(history), [100 - w for w in wait], bottom=wait, color=NEGATIVE, alpha=0.5, label="training")
        axes.set(xlabel="epoch", ylabel="% of the time", ylim=(0, 100))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(loc="upper center", ncols=2, bbox_to_anchor=(0.5, 1.12))

    return svg(draw)


def _epoch(history: Sequence[Record]) -> list[int]:
    return [int(record["epoch"]) for record in history]


def _balance(answers: Sequence[Answer]) -> Table:
    """What imbalance is left in what the loss sees."""
    weighed: dict[str, float] = {}
    for one in answers:
        weighed[one.question] = weighed.get(one.question, 0.0) + one.drawn * one.weight
    whole: dict[str, int] = {}
    for one in answers:
        whole[one.question] = whole.get(one.question, 0) + one.examples
    rows = tuple(
        (
            one.question,
            one.answer,
            one.examples,
            Quantity(percent(one.examples, whole[one.question])),
            Quantity(percent(one.drawn, 1.0)),
            one.weight,
            Quantity(percent(one.drawn * one.weight, weighed[one.question])),
        )
        for one in answers
    )
    columns = ("Question", "Answer", "Examples", "Share", "Share drawn", "Weight", "Share in the loss")
    note = (
        "Weights and balanced sampling change what the network learns to say; calibration on the tuning split, where "
        "nothing is balanced, makes probabilities of it again."
    )
    return Table("Balance of the answers", columns, rows, note)


def _epochs(history: Sequence[Record]) -> Table:
    columns = ("Epoch", "Loss", "Tuning loss", "Time", "Examples a second", "Waiting", "Reading", "Memory of a worker")
    rows = tuple(
        (
            int(record["epoch"]),
            record["loss"],
            record["tuning_loss"],
            Quantity(duration(record["seconds"])),
            Quantity(count(round(record["examples_per_s"]))),
            Quantity(percent(record["wait_share"], 1.0)),
            Quantity(percent(record["read_share"], 1.0)),
            Quantity(f"{record['host_memory_bytes'] / 1e9:.2f} GB"),
        )
        for record in history
    )
    note = "The time is that of the training steps. Reading lies beside the training where it works ahead."
    return Table("Epoch by epoch", columns, rows, note)


def _share(history: Sequence[Record], name: str) -> Quantity:
    return Quantity(percent(_mean(history, name), 1.0))


def _mean(history: Sequence[Record], name: str) -> float:
    return sum(record[name] for record in history) / len(history)
