"""What the evaluation report shows, gathered from lake, model and run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from medray.contracts import Array
from medray.drivers.input import Input
from medray.drivers.inputs.find import newest_inputs, read_inputs
from medray.drivers.inputs.reading import read_by
from medray.drivers.job import Job
from medray.drivers.models.evaluation_parts import Scene
from medray.drivers.models.model_card import link_to_card
from medray.drivers.reports import lineage_of
from medray.planning.accounting import stored_sum
from medray.report.evaluation import ShownExample, evaluation_report
from medray.report.render import render
from medray.report.sections import Link
from medray.report.sections import Sum as ShownSum
from medray.schema.quarantine import QUARANTINE
from medray.storage.models import Registered
from medray.storage.plans import Plan
from medray.storage.shards import open_shard
from medray.storage.snapshot import Snapshot, newest

_SHOWN = 8
_INGESTS = {"ingest_dicom": "listed", "ingest_ehr": "candidates"}


def evaluation_page(plan: Plan, scene: Scene, job: Job, document: Mapping[str, Any]) -> str:
    """The report as one HTML page, of the document that stands in metrics.json."""
    recipe, model = scene.recipe, scene.model
    stored = scene.answers.stored
    examples = _examples(model, recipe.lake, scene.state, job, stored, scene.targets, scene.inputs)
    shown = (("Examples shown for", _first_answer(stored) or "none"),) if examples else ()
    return render(
        evaluation_report(
            title=f"Evaluation of {model.name} version {model.version}",
            subtitle=f"{recipe.split.replace('_', '-')} split, {len(set(scene.inputs)):,} inputs",
            facts=(
                ("Run", plan.run_id[:12]),
                ("Run date", plan.run_date),
                ("Model", model.sha256[:12]),
                *shown,
            ),
            evaluation=document,
            training={"epochs": [_epoch(record) for record in model.card["history"]]},
            ingest=ingest_sum(scene.state),
            reasons=quarantine_reasons(scene.state),
            lineage=lineage(plan, model, scene.state),
            examples=examples,
        )
    )


def ingest_sum(state: Snapshot) -> ShownSum | None:
    """The accounting of the newest ingest; None where there was none."""
    for run in newest(state.runs).to_pylist():
        if run["job"] in _INGESTS:
            total = stored_sum(dict(run["counts"]), _INGESTS[run["job"]])
            return ShownSum("The newest ingest", total.total_name, total.total, tuple(total.parts.items()))
    return None


def quarantine_reasons(state: Snapshot) -> dict[str, int]:
    """How many inputs are in quarantine, by reason."""
    counted = Counter(state.table(QUARANTINE, ("reason",))["reason"].to_pylist())
    return dict(counted.most_common())


def lineage(plan: Plan, model: Registered, state: Snapshot) -> dict[str, str | Link]:
    """What a number of the report is explained by; the model leads to its card, where there is a page of it."""
    named, card = f"{model.name} version {model.version}", link_to_card(state, model.name, model.version)
    made = {"Model SHA-256": model.sha256, "Trained by run": str(model.card["run_id"])}
    return {"Run": plan.run_id, "Model": Link(named, card) if card else named, **lineage_of(plan, **made)}


def _epoch(record: Mapping[str, float]) -> dict[str, float]:
    return {"epoch": int(record["epoch"]), "train_loss": record["loss"], "tuning_loss": record["tuning_loss"]}


def _examples(
    model: Registered,
    lake: str,
    state: Snapshot,
    job: Job,
    stored: Mapping[str, Mapping[str, Array]],
    targets: Array,
    inputs: Sequence[Input],
) -> dict[str, list[ShownExample]]:
    """Best, worst and least certain images of the first yes-or-no answer."""
    answer = stored.get(_first_answer(stored) or "")
    if answer is None or read_by(model, lake, job).problem is not None:  # records are no pictures
        return {}
    scores, threshold = answer["predicted_boolean_probability"].astype(float), float(answer["threshold"][0])
    truth = targets[:, 0]
    known = np.flatnonzero(~np.isnan(truth))
    # Margin to the threshold on the side of the truth, so that both classes are ranked alike.
    margin = np.where(
        scores >= threshold,
        (scores - threshold) / max(1 - threshold, 1e-9),
        (scores - threshold) / max(threshold, 1e-9),
    )
    right = margin * np.where(truth == 1, 1, -1)
    order = known[np.argsort(right[known], kind="stable")]
    unsure = known[np.argsort(np.abs(margin[known]), kind="stable")]
    chosen = {
        "best": [row for row in order[::-1] if right[row] > 0][:_SHOWN],
        "worst": [row for row in order if right[row] <= 0][:_SHOWN],
        "least certain": unsure[:_SHOWN].tolist(),
    }
    images = _images(model, lake, state, job, {inputs[row].key for rows in chosen.values() for row in rows})
    return {
        kind: [
            ShownExample(images[inputs[row].key], float(scores[row]), float(truth[row]), inputs[row].id)
            for row in rows
            if inputs[row].key in images
        ]
        for kind, rows in chosen.items()
    }


def _first_answer(stored: Mapping[str, Mapping[str, Array]]) -> str | None:
    """The first label that was decided by a threshold."""
    return next((label for label, columns in stored.items() if columns["threshold"][0] is not None), None)


def _images(
    model: Registered, lake: str, state: Snapshot, job: Job, keys: set[tuple[str, int]]
) -> dict[tuple[str, int], Array]:
    """Prepared images, (H, W) or (H, W, 3) uint8, by input."""
    reading = read_by(model, lake, job)
    where = newest_inputs(state, reading)
    found: dict[tuple[str, int], Array] = {}
    for file in read_inputs(state, {where[key] for key in keys}, reading):
        shard = open_shard(job.store, file.shard)
        for row, key in enumerate(
            zip(shard.keys["uid"].to_pylist(), shard.keys["input_version"].to_pylist(), strict=True)
        ):
            if key in keys and key not in found:
                image = np.moveaxis(shard.values[row], 0, -1)
                found[key] = image[..., 0] if image.shape[-1] == 1 else image
    return found
