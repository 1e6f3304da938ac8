"""A trial of a search: a training whose folder lies in that of the search, and what it leaves there."""

from __future__ import annotations

import json
from dataclasses import dataclass

from medray.engine.loop import FitSpec
from medray.storage.uri import join


@dataclass(frozen=True)
class TrialSpec(FitSpec):
    """Attributes:
    shared: the folder of the search, whose examples all trials read.
    """

    shared: str = ""

    @property
    def examples_uri(self) -> str:
        return join(self.shared, "examples.arrow")

    @property
    def failed_uri(self) -> str:
        return join(self.folder, "failed.json")


def trial_folder(shared: str, number: int) -> str:
    """Where a trial of a search lies."""
    return join(shared, "trials", str(number))


def told(spec: TrialSpec) -> tuple[list[dict[str, float]], str]:
    """A trial's records so far, and why it has failed ("": it has not)."""
    try:
        progress = json.loads(spec.store.read(spec.progress_uri))
    except FileNotFoundError:
        return [], failure(spec)
    return progress["history"], progress["failed"] or failure(spec)


def failure(spec: TrialSpec) -> str:
    """Why a trial has failed; "" where it has not."""
    try:
        return str(json.loads(spec.store.read(spec.failed_uri))["reason"])
    except FileNotFoundError:
        return ""


def note_failure(spec: TrialSpec, reason: str) -> None:
    """A failed trial is not tried again: the same settings would fail again. The first reason stays."""
    spec.store.put_if_absent(spec.failed_uri, json.dumps({"reason": reason}).encode())
