"""What the report of explanations shows, gathered from the files that a run has written."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from medray.contracts import Array
from medray.drivers.input import DataFile
from medray.drivers.inputs.reading import Reading
from medray.drivers.job import Job
from medray.drivers.models.attribute_chunk import Question
from medray.drivers.models.evaluation_page import lineage
from medray.drivers.models.learnt_task import task_of
from medray.planning.accounting import Sum
from medray.report.attributions import MethodResult, attribution_report
from medray.report.beeswarm import FeatureAmounts
from medray.report.overlays import ShownMaps
from medray.report.render import render
from medray.report.sections import Sum as ShownSum
from medray.schema.attributions import ATTRIBUTIONS, MAP_DTYPE, REST
from medray.storage.delta import NewFile, scan_file, table_uri
from medray.storage.failures import told
from medray.storage.models import Registered, load_definition
from medray.storage.plans import Plan
from medray.storage.shards import open_shard
from medray.storage.snapshot import Snapshot
from medray.storage.uri import join

SHOWN = 6  # images of each kind
_COLUMNS = (
    "SOPInstanceUID", "subject_id", "prediction_time", "frame_index", "input_version", "method", "status", "reason",
    "feature", "rank", "feature_value", "attribution", "predicted_boolean_probability", "output", "completeness_error",
    "fit", "evaluations",
)  # fmt: skip
_PLACE = ("SOPInstanceUID", "input_version", "frame_index")
UNITS = {
    "regression": "in standard deviations of the training answers",
    "ordinal": "log-odds, or ranks of the question",
}

Rows = list[dict[str, Any]]


def attribution_page(
    plan: Plan,
    question: Question,
    model: Registered,
    reading: Reading,
    state: Snapshot,
    files: Sequence[DataFile],
    answers: Sequence[NewFile],
    total: Sum,
    job: Job,
) -> tuple[str, dict[str, Any]]:
    """The report as one HTML page, and its figures as JSON."""
    rows = _read(state, answers, _COLUMNS)
    explained = rows.filter(pc.equal(rows["status"], "explained"))
    heads = explained.filter(pc.is_null(explained["rank"])).to_pylist()
    methods = list(dict.fromkeys(name for one in plan.inputs["methods"].to_pylist() for name in one))
    results = [_result(method, heads, explained) for method in methods]
    refused = pc.value_counts(rows.filter(pc.equal(rows["status"], "abstained"))["reason"]).to_pylist()
    agreement = _agreement(explained, methods) if reading.problem is not None else None
    pictures = heads if reading.problem is None else []
    maps = _maps(pictures, state, answers, files, _threshold(model, question, state, job))
    page = attribution_report(
        title=f"{model.name} version {model.version}: why it answers {question.label}",
        subtitle=f"{len({_example(one) for one in heads}):,} examples explained",
        facts=(
            ("Run", plan.run_id[:12]),
            ("Run date", plan.run_date),
            ("Model", model.sha256[:12]),
            ("In place of what is taken away", question.reference or "nothing is"),
            ("Seed", str(question.seed)),
        ),
        unit=UNITS.get(str(load_definition(job.store, state.lake, model.sha256)["task"]), "log-odds"),
        results=results,
        agreement=agreement,
        maps=maps,
        total=ShownSum("Explanations", total.total_name, total.total, tuple(total.parts.items())),
        reasons={one["values"]: one["counts"] for one in refused},
        lineage=lineage(plan, model, state),
    )
    figures = {one.name: _figures(one) for one in results}
    return render(page), {"label": question.label, "methods": figures, "same_first_feature": agreement}


def _read(state: Snapshot, answers: Sequence[NewFile], columns: Sequence[str], where: Any = None) -> pa.Table:
    """Rows of files that no commit names yet."""
    root = table_uri(state.lake, ATTRIBUTIONS.name)
    schema = pa.schema([ATTRIBUTIONS.schema.field(name) for name in columns])
    with told(state.lake):
        batches = [
            batch
            for file in answers
            for batch in scan_file(state.store, join(root, file.path), ATTRIBUTIONS, columns, where)
        ]
    return pa.Table.from_batches(batches, schema=schema)


def _example(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return (row["SOPInstanceUID"], row["subject_id"], row["prediction_time"], row["frame_index"])


def _result(method: str, heads: Rows, explained: pa.Table) -> MethodResult:
    own = [row for row in heads if row["method"] == method]
    ranked = explained.filter(pc.and_(pc.equal(explained["method"], method), pc.is_valid(explained["rank"])))
    features = []
    if ranked.num_rows:
        names = ranked["feature"].combine_chunks().dictionary_encode()
        which = names.indices.to_numpy()
        amounts, values = (
            ranked[name].to_numpy(zero_copy_only=False).astype(float) for name in ("attribution", "feature_value")
        )
        features = [
            FeatureAmounts(name, amounts[which == at], values[which == at])
            for at, name in enumerate(names.dictionary.to_pylist())
        ]
    return MethodResult(
        method, _known(own, "completeness_error"), _known(own, "fit"), _known(own, "evaluations"), features
    )


def _known(rows: Rows, name: str) -> Array:
    return np.array([row[name] for row in rows if row[name] is not None], float)


def _agreement(explained: pa.Table, methods: Collection[str]) -> float | None:
    """Share of the examples explained by several methods in which all name the same first feature."""
    found: dict[tuple[Any, ...], dict[str, str]] = {}
    for row in explained.filter(pc.equal(explained["rank"], 1)).to_pylist():
        found.setdefault(_example(row), {})[row["method"]] = row["feature"]
    several = [names for names in found.values() if len(names) == len(methods)]
    if len(methods) < 2 or not several:
        return None
    return sum(len(set(names.values())) == 1 for names in several) / len(several)


def _threshold(model: Registered, question: Question, state: Snapshot, job: Job) -> float:
    """The probability from which the model's answer is yes; one half where it has no such rule."""
    definition = load_definition(job.store, state.lake, model.sha256)
    task, config = task_of(definition)
    zero = np.zeros((1, task.outputs(config)), np.float32)
    columns = task.decode(zero, config, definition["calibration"])[question.label]
    return float(columns.get("threshold", [0.5])[0])


def _maps(
    heads: Rows, state: Snapshot, answers: Sequence[NewFile], files: Sequence[DataFile], threshold: float
) -> dict[str, list[ShownMaps]]:
    """The highest, the lowest and (of probabilities) the least certain answers, no image twice, with their maps."""
    first = {tuple(row[name] for name in _PLACE): row for row in heads}
    order = sorted(first, key=lambda place: (-first[place]["output"], place))
    share = max(1, min(SHOWN, len(order) // 3))
    highest, lowest = order[:share], order[share:][::-1][:share]
    score = {place: first[place]["predicted_boolean_probability"] for place in order}
    middle = [place for place in order if place not in {*highest, *lowest} and score[place] is not None]
    unsure = sorted(middle, key=lambda place: (abs(score[place] - threshold), place))[:share]
    chosen = {"highest": highest, **({"least certain": unsure} if unsure else {}), "lowest": lowest}
    wanted = {place for places in chosen.values() for place in places}
    images, found = _images(wanted, files, state), _stored_maps(wanted, state, answers)
    return {
        kind: [
            ShownMaps(images[place], found[place], _caption(first[place]), str(place[0]))
            for place in places
            if place in images
        ]
        for kind, places in chosen.items()
    }


def _caption(row: Mapping[str, Any]) -> str:
    score = row["predicted_boolean_probability"]
    told = f"answer {row['output']:.2f}"
    return told if score is None else f"score {score:.3f} \N{MIDDLE DOT} {told}"


def _stored_maps(
    wanted: Collection[tuple[Any, ...]], state: Snapshot, answers: Sequence[NewFile]
) -> dict[tuple[Any, ...], dict[str, Array]]:
    columns = (*_PLACE, "method", "map", "map_rows", "map_columns")
    ours = (
        pc.field("SOPInstanceUID").isin(pa.array([place[0] for place in wanted], pa.string()))
        & pc.field("map").is_valid()
    )
    found: dict[tuple[Any, ...], dict[str, Array]] = {}
    for row in _read(state, answers, columns, ours).to_pylist():
        amounts = np.frombuffer(row["map"], MAP_DTYPE).reshape(row["map_rows"], row["map_columns"])
        found.setdefault(tuple(row[name] for name in _PLACE), {})[row["method"]] = amounts
    return found


def _images(
    wanted: Collection[tuple[Any, ...]], files: Sequence[DataFile], state: Snapshot
) -> dict[tuple[Any, ...], Array]:
    """Prepared images, (H, W) or (H, W, 3) uint8, by input and frame."""
    inputs = {place[:2] for place in wanted}
    found: dict[tuple[Any, ...], Array] = {}
    for file in files:
        if not any(item.key in inputs for item in file.accepted()):
            continue
        shard = open_shard(state.store, file.shard)
        keys = zip(*(shard.keys[name].to_pylist() for name in ("uid", "input_version", "frame_index")), strict=True)
        for row, place in enumerate(keys):
            if place in wanted:
                image = np.moveaxis(shard.values[row], 0, -1)
                found[place] = image[..., 0] if image.shape[-1] == 1 else image
    return found


def _figures(result: MethodResult) -> dict[str, Any]:
    top = sorted(result.features, key=lambda one: (-one.size, one.name))[:5]
    errors, fits = result.completeness, result.fits
    return {
        "explained": len(result.evaluations),
        "completeness_checked": len(errors),
        "completeness_below_1_percent": result.reached,
        "completeness_median": float(np.median(errors)) if len(errors) else None,
        "completeness_worst": float(errors.max()) if len(errors) else None,
        "fit_median": float(np.median(fits)) if len(fits) else None,
        "top_features": [one.name for one in top if one.name != REST],
    }
