"""A prediction problem over health records: who is asked about when, what may be known then, and
what the answer is. It becomes rows of `labels`."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from medray.recipes.recipe import Name, Section

# A code, or the beginning of codes and a star: "ADMISSION//*".
Code = Annotated[str, Field(min_length=1, pattern=r"^[^*]+\*?$")]
Codes = Annotated[tuple[Code, ...], Field(min_length=1)]
_LIFE = 24 * 366 * 120  # hours
Hours = Annotated[float, Field(gt=0, le=_LIFE, allow_inf_nan=False)]
Delay = Annotated[float, Field(ge=0, le=_LIFE, allow_inf_nan=False)]  # hours, or none


class SubjectCohort(Section):
    """Every subject once, at no time: only static facts are known."""

    kind: Literal["subject"]


class TriggerCohort(Section):
    """A time after each, or the first, event of some codes.

    Attributes:
        codes: the trigger.
        which: the subject's "first" such event, or "each".
        after_hours: from the trigger to the prediction time.
        unless: codes that take the prediction away when they occur from the trigger up to the
            prediction time (discharge, death).
        reached: "observed": only times that the archive has reached, which an event of the subject
            at that time or later shows. "assumed": the archive is closed and reaches every time.
    """

    kind: Literal["trigger"]
    codes: Codes
    which: Literal["first", "each"]
    after_hours: Delay
    unless: tuple[Code, ...] = ()
    reached: Literal["observed", "assumed"]


class EveryCohort(Section):
    """Every n hours after the first event of some codes, as far as the subject's events reach.

    Attributes:
        codes: the trigger; the subject's first such event.
        after_hours: from the trigger to the first prediction time.
        every_hours: from one prediction time to the next.
        until: codes whose first event after the trigger ends the series.
    """

    kind: Literal["every"]
    codes: Codes
    after_hours: Delay
    every_hours: Hours
    until: tuple[Code, ...] = ()


Cohort = Annotated[SubjectCohort | TriggerCohort | EveryCohort, Field(discriminator="kind")]


class Target(Section):
    """The answer: what happens in a window after the prediction time t.

    Attributes:
        codes: the events that answer.
        gap_hours: the window begins so long after t; what happens at its very beginning is no part.
        window_hours: its length; without it, the rest of the record.
        take: "any": does an event occur? (boolean). "first", "last", "mean", "min", "max": of the
            events' numbers. "hours_to": hours from t to the first event.
        until: codes whose first event after t ends the window (discharge). "any" is answered no
            once the window has been reached to its end, or where such an event ended it; one in the
            gap leaves no window, and no answer.
    """

    codes: Codes
    gap_hours: Delay
    window_hours: Hours | None = None
    take: Literal["any", "first", "last", "mean", "min", "max", "hours_to"]
    until: tuple[Code, ...] = ()


class Problem(Section):
    """A prediction problem. A name means one definition for ever: change the name with it.

    Attributes:
        name: of the inputs in `labels`.
        observe_hours: the observation window before the prediction time; without it, everything
            before. Static facts are always known.
        cohort: who is asked about, and when.
        targets: label -> its answer; no other problem and no label file may give the same label.
            None where a label file holds the answers.
    """

    name: Name
    observe_hours: Hours | None = None
    cohort: Cohort
    targets: dict[str, Target] = {}

    @model_validator(mode="after")
    def _answerable(self) -> Self:
        if self.name in self.targets:
            raise ValueError("a target needs a name of its own, not the problem's")
        if self.targets and self.cohort.kind == "subject":
            raise ValueError("a cohort without times has no target windows: give the answers in a label file")
        return self
