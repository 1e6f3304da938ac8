"""`medray explain-row`: one prediction, and everything behind it."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from typing import Annotated, Any

import typer

from medray.commands.options import LakeArgument
from medray.entry import stopped_by_contract, today
from medray.narration import Narrator

_MOST_CHOICES = 50


def explain_row(
    lake: LakeArgument,
    image: Annotated[str | None, typer.Option(help="SOPInstanceUID of the row")] = None,
    subject: Annotated[int | None, typer.Option(help="subject_id of the row")] = None,
    time: Annotated[datetime | None, typer.Option(help="prediction_time of the row")] = None,
    label: Annotated[str | None, typer.Option(help="the question")] = None,
    model: Annotated[str | None, typer.Option(help="name, name/version, or the beginning of a model_sha256")] = None,
    frame: Annotated[int | None, typer.Option(help="frame_index of the row")] = None,
    version: Annotated[int | None, typer.Option(help="input_version of the row")] = None,
    run: Annotated[str | None, typer.Option(help="run_id of the row, or its beginning")] = None,
    recipe: Annotated[bool, typer.Option(help="print the recipe of the run")] = False,
    rebuild: Annotated[bool, typer.Option(help="prepare and score the input again here, and compare")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="for machines")] = False,
) -> None:
    """Print everything behind one prediction: input, data, run, code, recipe, model, what came after."""
    from medray.drivers.explain.explain import explain
    from medray.drivers.explain.question import Question
    from medray.drivers.job import Job
    from medray.storage.uri import normalise

    tell = Narrator()
    with stopped_by_contract(tell):
        asked = Question(image, subject, time, label, model, frame, version, run)
        found = explain(normalise(lake), asked, Job(today(), tell), recipe=recipe, rebuild=rebuild)
        if as_json:
            print(json.dumps({"choices": found.choices} if found.choices else found.facts, indent=1))
        else:
            _print(found, tell)
        if found.choices or not found.same:
            sys.exit(1)


def _print(found: Any, tell: Narrator) -> None:
    from medray.drivers.explain.lines import lines, one_line

    for title, rows in lines(found.facts):
        tell.title(title)
        for row in rows:
            tell.say(row)
    if found.choices:
        tell.title(f"{len(found.choices)} rows fit: narrow it by --label, --model, --time, --frame, --version or --run")
        for choice in found.choices[:_MOST_CHOICES]:
            tell.say(one_line(choice))
