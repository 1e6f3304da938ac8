"""The report of an ingest of images: that every input ended somewhere, what they are, how fast it went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from medray.report.contact_sheet import Images, contact_sheet
from medray.report.digits import count, percent
from medray.report.lineage import lineage_table, used_inputs
from medray.report.pace import Moment, memory_of_chunks, pace
from medray.report.render import render
from medray.report.sections import Figure, Gallery, Quantity, Report, Section, Sum, Table


@dataclass(frozen=True)
class Sheet:
    """Pictures with their captions."""

    title: str
    images: Images
    captions: Sequence[str]
    note: str = ""


def ingest_report(
    *,
    title: str,
    subtitle: str,
    facts: Sequence[tuple[str, str]],
    total: Sum,
    reasons: Mapping[str, int],
    counts: Mapping[str, Mapping[str, int]],
    moments: Sequence[Moment],
    sheets: Sequence[Sheet],
    lineage: Mapping[str, str],
) -> str:
    """The report of one ingest as an HTML page.

    Args:
        title, subtitle, facts: the head of the page.
        total: the accounting.
        reasons: inputs that were not used, by reason.
        counts: instances by value, for each way of counting them ("Modality").
        moments: chunks in the order in which they were done; none when an earlier attempt did them.
        sheets: pictures of what came in; an empty one is left out.
        lineage: run, code, recipe, table versions.
    """
    sections: list[Section] = [used_inputs(total, reasons)]
    sections += [_counted(name, found) for name, found in counts.items() if found]
    if moments:
        sections.append(_pace(moments))
    sections += [_sheet(one) for one in sheets if len(one.images)]
    return render(Report(title, subtitle, facts, (*sections, lineage_table(lineage))))


def _counted(name: str, found: Mapping[str, int]) -> Table:
    whole = sum(found.values())
    ranked = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    rows = tuple((value, number, Quantity(percent(number, whole))) for value, number in ranked)
    return Table(f"Instances by {name.lower()}", (name, "Instances", "Share"), rows)


def _pace(moments: Sequence[Moment]) -> Gallery:
    objects, last = sum(moment.objects for moment in moments), moments[-1].seconds
    done = f"{count(objects)} objects in {last:.1f} s, {count(len(moments))} chunks"
    return Gallery(
        "Pace",
        (
            Figure("Throughput", pace(moments), f"Megabytes a second over time: {done}."),
            Figure("Memory", memory_of_chunks(moments), "The most memory of a worker's process after each chunk."),
        ),
        f"{done}. A chunk counts over the time since the one before it on the whole cluster was done.",
    )


def _sheet(sheet: Sheet) -> Figure:
    image = contact_sheet(sheet.images, sheet.captions)
    return Figure(sheet.title, image, f"{len(sheet.images)} pictures: {', '.join(sheet.captions)}.", sheet.note, True)
