"""A problem's names: one name, one definition, for ever.

`problems/<name>.json` holds the definition, `problems/labels/` whose each name in `labels` is. A name
is claimed only when nothing speaks against the problem, so that a typing error can be corrected.
"""

from __future__ import annotations

import json

import pyarrow.compute as pc

from medray.drivers.label_names import claim_label, problem_of
from medray.errors import RecipeError
from medray.planning.timelines import matches
from medray.recipes.problem import Problem, SubjectCohort
from medray.schema.events import EVENTS
from medray.schema.labels import LABELS
from medray.storage.failures import told
from medray.storage.snapshot import Snapshot
from medray.storage.uri import join


def claim(problem: Problem, state: Snapshot, ours: set[str]) -> None:
    """Make the problem's name and those of its targets its own, or find that they are.

    Args:
        ours: the runs of the problem.

    Raises:
        RecipeError: the lake knows the name with another definition; a target's name is another
            problem's or a label file's; or the problem is new and no event has its codes.
    """
    defined = _is_defined(problem, state)
    owners = {label: problem_of(state.store, state.lake, label) for label in (problem.name, *problem.targets)}
    for label, owner in owners.items():
        if owner is not None:
            _must_own(problem, label, owner)
    unclaimed = [label for label, owner in owners.items() if owner is None and not (defined and label == problem.name)]
    _must_be_free(problem, unclaimed, state, ours)
    if not defined:
        _must_find_events(problem, state)
    for label in (label for label, owner in owners.items() if owner is None):
        _must_own(problem, label, claim_label(state.store, state.lake, label, problem.name))
    if not defined:
        with told(state.lake):
            state.store.put_if_absent(_uri(problem, state), _document(problem))
        _is_defined(problem, state)  # another may have been first, a moment ago


def _document(problem: Problem) -> bytes:
    return json.dumps(problem.model_dump(mode="json"), sort_keys=True).encode()


def _uri(problem: Problem, state: Snapshot) -> str:
    return join(state.lake, "problems", f"{problem.name}.json")


def _is_defined(problem: Problem, state: Snapshot) -> bool:
    """The lake knows this very definition."""
    with told(state.lake):
        try:
            stands = state.store.read(_uri(problem, state))
        except FileNotFoundError:
            return False
    if stands == _document(problem):
        return True
    raise RecipeError(
        f"[problem] name = {problem.name!r}",
        "another definition than the lake has under this name",
        "one definition for ever, so that inputs and answers stay comparable",
        "give the changed problem a new name",
    )


def _must_own(problem: Problem, label: str, owner: str) -> None:
    if owner != problem.name:
        raise _taken(problem, label, f"a name that the problem {owner!r} has in this lake")


def _must_be_free(problem: Problem, labels: list[str], state: Snapshot, ours: set[str]) -> None:
    """Rows of other runs under a label that nobody has claimed are a label file's, or those of a
    problem from before labels were claimed."""
    for batch in state.scan(LABELS, ("label", "run_id"), pc.field("label").isin(labels)) if labels else ():
        for label, run in zip(batch["label"].to_pylist(), batch["run_id"].to_pylist(), strict=True):
            if run not in ours:
                raise _taken(problem, label, "a name that a label file or another problem gives in this lake")


def _taken(problem: Problem, label: str, found: str) -> RecipeError:
    where = f"[problem] name = {label!r}" if label == problem.name else f"[problem.targets.{label}]"
    return RecipeError(
        where,
        found,
        "a name of its own, for ever: answers under one name would overwrite each other",
        "choose another name, for example one with the window's length, and a new problem name with it",
    )


def _must_find_events(problem: Problem, state: Snapshot) -> None:
    """Reads only until each part of the problem has found an event: all of them where one is mistyped."""
    wanted = {f"[problem.targets.{label}] codes": target.codes for label, target in problem.targets.items()}
    if not isinstance(problem.cohort, SubjectCohort):
        wanted["[problem.cohort] codes"] = problem.cohort.codes
    if not wanted:
        return
    for batch in state.scan(EVENTS, ("code",), pc.field("time").is_valid()):
        names = batch["code"].unique().to_pylist()
        wanted = {part: codes for part, codes in wanted.items() if not any(matches(name, codes) for name in names)}
        if not wanted:
            return
    part, codes = next(iter(wanted.items()))
    raise RecipeError(
        f"{part} of {problem.name!r}",
        f"{', '.join(codes)}, which no event of the lake has that has a time",
        "codes of events in the lake, as the table events spells them; a star at the end means any that begins so",
        "correct the codes, or ingest the records that hold them; the name is not yet taken",
    )
