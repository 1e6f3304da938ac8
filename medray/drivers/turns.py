"""A driver's turn: what is left unfinished is finished, then what is new is planned and done, once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from medray.drivers.job import Job, Result, together
from medray.drivers.open_plans import open_plans
from medray.errors import MedrayError
from medray.storage.plans import Plan
from medray.storage.snapshot import snapshot
from medray.storage.turns import newest_turn, take_turn


def in_turn(
    job: Job, lake: str, kind: str, stream: str, execute: Callable[[Plan], Result], look: Callable[[], Plan | Result]
) -> Result:
    """Finish the stream's open plans; then do what is new.

    Two drivers that look at the same state of the lake plan the same inputs. Only one of them takes the
    turn; the other finishes that plan too, and looks again.

    An attempt that fails because another has committed the same run meanwhile is no failure: what it
    still wanted to write was swept.

    Args:
        execute: does what a plan says, also one of an earlier attempt, and commits it.
        look: looks at the lake as it is now; gives a plan, or what to return where nothing is new.
    """

    def finished(plan: Plan) -> Result:
        try:
            return execute(plan)
        except MedrayError:
            if plan.run_id not in snapshot(job.store, lake).run_ids():
                raise
            return Result("already", (plan.run_id,))

    done: list[Result] = []
    while True:
        turn, claimed = newest_turn(job.store, lake, kind, stream)
        done += [finished(plan) for plan in open_plans(job, lake, kind, stream, claimed)]
        found = look()
        if isinstance(found, Result):
            return together(done) if done else found
        plan = take_turn(job.store, lake, replace(found, turn=turn + 1))
        if plan is not None:
            return together([*done, finished(plan)])
        job.tell.say("another run has planned this a moment before: finishing that one first")
