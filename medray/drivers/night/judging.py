"""The gate of one night: what it looked like so far, beside earlier nights and the model's reference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from medray.drivers.inputs.reading import read_by
from medray.drivers.job import Job
from medray.drivers.models.predict import Gate
from medray.drivers.night.links import links_of, sums_of
from medray.drivers.night.nights import nights
from medray.planning.accounting import Sum
from medray.planning.gate.history import Night, Share
from medray.planning.gate.observed import Observed, together
from medray.planning.gate.verdict import Verdict, judge
from medray.recipes.score import NightlyRecipe
from medray.schema.held import HELD
from medray.schema.predictions import PREDICTIONS
from medray.storage import delta
from medray.storage.chunk_file import read_facts
from medray.storage.commit import run_of
from medray.storage.failures import told
from medray.storage.models import Registered
from medray.storage.plans import Plan
from medray.storage.promotions import in_production
from medray.storage.snapshot import Snapshot, snapshot
from medray.storage.uri import join


@dataclass(frozen=True)
class Judged:
    """Attributes:
    links: the night's runs so far, in order.
    sums: their accounting, and what is not committed yet.
    night: tonight.
    verdict: of the gate.
    """

    links: list[dict[str, Any]]
    sums: tuple[Sum, ...]
    night: Night
    verdict: Verdict

    @property
    def children(self) -> tuple[str, ...]:
        return tuple(link["run_id"] for link in self.links)


@dataclass(frozen=True)
class Judging:
    """Judges what a night has done so far.

    Attributes:
        plan, recipe, job: of the night.
        ingested: the accounting that its ingest told.
    """

    plan: Plan
    recipe: NightlyRecipe
    job: Job
    ingested: tuple[Sum, ...]

    @property
    def gate(self) -> Gate:
        """For the runs that score: each is judged with all that the night has scored before it."""
        return Gate(
            f"{self.plan.stream}, {self.plan.run_date}",
            lambda model, total, observed: self.judged(model, self.ingested, (total,), observed).verdict.held,
        )

    def judged(
        self, model: Registered, now: Sequence[Sum], scored: Sequence[Sum] = (), observed: Sequence[Observed] = ()
    ) -> Judged:
        """The night's committed links and what is not committed yet, together.

        Args:
            model: that scored; what other models observed is counted otherwise, and left out.
            now: the accounting that the stages told; of those that found nothing new, it is all there is.
            scored, observed: of a run that has scored and is not committed yet.
        """
        state = snapshot(self.job.store, self.recipe.lake)
        links = links_of(state, self.plan, read_by(model, self.recipe.lake, self.job).problem)
        ours = {link["run_id"] for link in links if link["job"] == "predict" and link["model_sha256"] == model.sha256}
        sums = (*sums_of(links, now), *scored)
        # Of records the rows count, not the files: one file holds a day's.
        rows = [part for part in sums if part.total_name == "candidates"]
        arrived = rows or [part for part in sums if part.total_name == "listed"]
        night = Night(
            run_date=date.fromisoformat(self.plan.run_date),
            status="published",
            model_sha256=model.sha256,
            arrivals=sum(_arrived(part) for part in arrived),
            usable=sum(part.parts["ingested"] for part in arrived),
            inputs=sum(part.total - part.parts["known"] for part in sums if part.total_name == "requested"),
            shares=_shares(sums),
            observed=together([*_observed(state, ours), *observed]),
        )
        since = self._model_since(model)
        verdict = judge(night, nights(state, self.recipe.name), model.card.get("reference"), since, self.recipe.gate)
        return Judged(links, sums, night, verdict)

    def _model_since(self, model: Registered) -> date:
        if self.recipe.model.version == "production":
            return date.fromisoformat(in_production(self.job.store, self.recipe.lake, model.name).at[:10])
        return date.fromisoformat(model.card["trained_on"])


def _arrived(part: Sum) -> int:
    return part.total - part.parts.get("known", 0) - part.parts.get("empty", 0)


def _shares(sums: Sequence[Sum]) -> dict[str, Share]:
    """What is watched of each sum, over all runs of the night."""
    shares: dict[str, Share] = {}
    for part in sums:
        for name in ("quarantined", "abstained"):
            if name in part.parts:
                key = f"{name} of {part.total_name}"
                before = shares.get(key, Share(0, 0))
                shares[key] = Share(before.part + part.parts[name], before.whole + _arrived(part))
    return shares


def _observed(state: Snapshot, runs: set[str]) -> list[Observed]:
    """What the chunks of committed runs observed, from the footers of their files."""
    found = []
    for contract in (PREDICTIONS, HELD):
        root = delta.table_uri(state.lake, contract.name)
        for path in state.files(contract):
            if run_of(path) in runs:
                with told(state.lake):
                    facts = read_facts(state.store, join(root, path))
                if facts is not None:
                    found.append(facts["observed"])
    return found
