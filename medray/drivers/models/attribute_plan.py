"""Which inputs are to be explained, and what of that is not done yet."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping

import pyarrow.compute as pc

from medray.drivers.input import KEY_COLUMNS, InputKey, input_key
from medray.drivers.inputs.find import newest_inputs, read_inputs, refuse_modalities
from medray.drivers.inputs.reading import Reading, read_by
from medray.drivers.job import Job
from medray.drivers.models.labelled import in_split
from medray.drivers.models.learnt_task import learnt_task
from medray.errors import RecipeError
from medray.recipes.explain import OF_PARTS, OF_PLACES, ExplainRecipe
from medray.recipes.score import Select
from medray.schema.attributions import ATTRIBUTIONS
from medray.schema.predictions import PREDICTIONS
from medray.storage.models import Registered
from medray.storage.snapshot import Snapshot

_SCORES = ("predicted_boolean_probability", "predicted_float_value")


def checked(recipe: ExplainRecipe, model: Registered, job: Job) -> Reading:
    """What the model reads.

    Raises:
        RecipeError: the model has no such answer, or its family is not explained so.
    """
    reading = read_by(model, recipe.lake, job)
    task, config = learnt_task(job.store, recipe.lake, model)
    questions = task.questions(config)
    family, where = reading.family, f"recipe {recipe.name}, model {model.name} version {model.version}"
    if recipe.label not in questions:
        raise RecipeError(
            where, f"label = {recipe.label!r}", ", ".join(questions), "name one of the answers that the model gives"
        )
    allowed = OF_PLACES if family.parts is None else OF_PARTS
    wrong = [method for method in recipe.methods if method not in allowed]
    if wrong:
        raise RecipeError(
            where,
            f"methods = {wrong!r} for a model of the family {family.name!r}",
            ", ".join(allowed),
            "name methods that explain this family",
        )
    if recipe.reference is not None and recipe.reference not in family.references:
        raise RecipeError(
            where,
            f"reference = {recipe.reference!r} for a model of the family {family.name!r}",
            ", ".join(family.references),
            "say what stands in the place of what is taken away",
        )
    refuse_modalities(recipe.name, recipe.select, reading)
    return reading


def requested(
    recipe: ExplainRecipe, model: Registered, reading: Reading, state: Snapshot, job: Job
) -> dict[InputKey, str]:
    """The inputs that the recipe asks for and their data files."""
    found = newest_inputs(state, reading, recipe.select or Select())
    if recipe.split is not None:
        files = read_inputs(state, found.values(), reading)
        labelled = in_split(recipe.split, model, found, files, state, job)
        found = {one.item.key: files[one.file].path for one in labelled}
    if recipe.above is not None:
        found = _answered_above(recipe.above, recipe.label, model, found, state)
    chosen = sorted(found, key=lambda key: _draw(recipe.seed, key))[: recipe.inputs]
    return {key: found[key] for key in sorted(chosen)}


def _draw(seed: int, key: InputKey) -> bytes:
    """Which inputs are taken follows from the seed and the inputs, not from how many there are."""
    return hashlib.sha256(f"{seed}\x1f{key[0]}\x1f{key[1]}".encode()).digest()


def _answered_above(
    least: float, label: str, model: Registered, current: Mapping[InputKey, str], state: Snapshot
) -> dict[InputKey, str]:
    """Inputs of which the model has published such an answer (of any frame)."""
    asked = (pc.field("model_sha256") == model.sha256) & (pc.field("label") == label)
    found: dict[InputKey, str] = {}
    for batch in state.scan(PREDICTIONS, (*KEY_COLUMNS, *_SCORES), asked):
        for row in batch.to_pylist():
            score = next((row[name] for name in _SCORES if row[name] is not None), None)
            key = input_key(row)
            if score is not None and score >= least and key in current:
                found[key] = current[key]
    return found


def done_before(
    recipe: ExplainRecipe, model: Registered, asked: Mapping[InputKey, str], state: Snapshot
) -> dict[InputKey, set[str]]:
    """The methods by which inputs are explained already, of this model, label and reference."""
    references = {method: recipe.reference_of(method) for method in recipe.methods}
    # the one row of an explanation that has no rank
    first = (pc.field("model_sha256") == model.sha256) & (pc.field("label") == recipe.label)
    first &= pc.field("rank").is_null()
    found: dict[InputKey, set[str]] = {}
    for batch in state.scan(ATTRIBUTIONS, (*KEY_COLUMNS, "method", "reference"), first):
        for row in batch.to_pylist():
            method, key = row["method"], input_key(row)
            if key in asked and method in references and references[method] == row["reference"]:
                found.setdefault(key, set()).add(method)
    return found


def left(
    asked: Iterable[InputKey], methods: Collection[str], done: Mapping[InputKey, set[str]], refused: set[InputKey]
) -> dict[InputKey, list[str]]:
    """The methods that are still to be done of each input; inputs with none are left out. An input
    that could not be prepared is not tried again."""
    found = {key: [one for one in methods if one not in done.get(key, ())] for key in asked if key not in refused}
    return {key: methods_left for key, methods_left in found.items() if methods_left}
