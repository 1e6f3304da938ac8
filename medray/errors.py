"""Every error that medray raises on purpose.

MedrayError                 one bad contract: the job stops at once (exit code 1)
|- RecipeError              a recipe has mistakes; all of them are listed (exit code 2)
|- StorageError             a folder, bucket or file cannot be used
|- SchemaError              a table's columns are not the ones this version knows
|- KeyMismatchError         the lake was written with another de-identification key
|- LabelError               a label file cannot be used
|- PlanError                a plan cannot be made or finished
|  `- UnjudgedError         another night was scored and not judged yet
|- AccountingError          inputs are missing from, or doubled in, a run's sum
|- ModelError               a model is missing, damaged, or made for other inputs
|- SplitError               training subjects would be evaluated
|- QuestionError            what a person asked for is not there, or is not one thing
|- EngineError              Ray cannot do what the job asks
`- SubmitError              a cluster refused or lost a job

Unusable                    one bad input: it goes to quarantine and the job goes on

A message says where, what was found, what is allowed, and what to do. None of the four may
hold anything that identifies a patient.
"""

from __future__ import annotations


class MedrayError(Exception):
    """A contract is broken; the job stops.

    Args:
        where: the place, in the user's terms ("recipe train.toml, [split]").
        found: what stands there.
        allowed: what may stand there.
        do: the next step of the person who reads it.
    """

    exit_code = 1

    def __init__(self, where: str, found: str, allowed: str, do: str) -> None:
        super().__init__(where, found, allowed, do)
        self.where, self.found, self.allowed, self.do = where, found, allowed, do

    def __str__(self) -> str:
        return f"{self.where}: found {self.found}. Allowed: {self.allowed}. What to do: {self.do}."


class RecipeError(MedrayError):
    exit_code = 2


class StorageError(MedrayError):
    pass


class SchemaError(MedrayError):
    pass


class KeyMismatchError(MedrayError):
    pass


class LabelError(MedrayError):
    pass


class PlanError(MedrayError):
    pass


class UnjudgedError(PlanError):
    pass


class AccountingError(MedrayError):
    pass


class ModelError(MedrayError):
    pass


class SplitError(MedrayError):
    pass


class QuestionError(MedrayError):
    pass


class EngineError(MedrayError):
    pass


class SubmitError(MedrayError):
    pass


class Unusable(Exception):
    """One input cannot be used.

    Args:
        reason: a member of `medray.schema.reasons.REASONS`.
        detail: sizes, counts or a transfer syntax; never a value from the input's text.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason, detail)
        self.reason, self.detail = reason, detail

    def __str__(self) -> str:
        return f"{self.reason} ({self.detail})" if self.detail else self.reason
