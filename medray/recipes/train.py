"""`prepare` and `train`: tables become a prepared cache, and a model."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from medray.families.config import OF_RECORDS, FamilyConfig
from medray.recipes.problem import Problem
from medray.recipes.recipe import Name, Recipe, Section, Uri
from medray.tasks.config import TaskConfig

_ONE_ANSWER = ("binary", "multiclass", "ordinal")


class Reads(Recipe):
    """What is read: images one by one, or the records that a problem asks about."""

    family: FamilyConfig
    problem: Problem | None = None

    @model_validator(mode="after")
    def _problem_given(self) -> Self:
        if (self.problem is None) == (self.family.name in OF_RECORDS):
            raise ValueError(f"[problem] belongs to a family of records ({', '.join(OF_RECORDS)}), which needs it")
        return self


class PrepareRecipe(Reads):
    job: Literal["prepare"]


class Split(Section):
    """Which subjects learn, tune and are held out; for ever.

    Attributes:
        salt, tuning, held_out: a salted hash of the subject, and the shares of the two parts.
        label: instead, the label whose categorical value is train, tuning or held_out.
    """

    salt: str | None = None
    tuning: float | None = Field(default=None, gt=0, lt=1)
    held_out: float | None = Field(default=None, gt=0, lt=1)
    label: str | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        hashed = (self.salt, self.tuning, self.held_out)
        if self.label is not None and any(part is not None for part in hashed):
            raise ValueError("give salt, tuning and held_out, or label, not both")
        if self.label is None and any(part is None for part in hashed):
            raise ValueError("salt, tuning and held_out are required where no label gives the split")
        if self.tuning is not None and self.held_out is not None and self.tuning + self.held_out >= 1:
            raise ValueError("tuning + held_out leave no subject to train on")
        return self


class Start(Section):
    """Weights that a training starts from, instead of drawn ones.

    Attributes:
        weights: a safetensors file.
        without: beginnings of names that keep their drawn weights, such as those of the last layer.
    """

    weights: Uri
    without: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _safetensors(self) -> Self:
        if not self.weights.endswith(".safetensors"):
            raise ValueError("weights are a .safetensors file: other formats may hold code")
        return self


class Training(Section):
    """How weights are found.

    Attributes:
        epochs: passes over the training split, at most.
        batch_size: examples of one step over all workers together.
        accumulate: parts of a worker's share of a batch, taken in one after the other: a batch that is too large for
            the memory.
        sampling: "all" examples once an epoch, or "balanced": as many, each answer equally often.
        optimizer: "adamw", or "sgd" with Nesterov's momentum.
        learning_rate: peak of the schedule (linear warm-up, then cosine to zero).
        warmup: share of all steps.
        weight_decay: on matrices and kernels only; with "sgd" it is the L2 penalty.
        l1: L1 penalty on matrices and kernels (proximal): weights that do not help become exactly zero.
        gradient_clip: highest norm of a step's gradients.
        ema: decay of the running average of weights that becomes the model; 0 turns it off.
        patience: epochs without a better tuning loss before training stops.
        keep: "best" epoch by tuning loss, or "last".
        start: weights to start from.
        frozen: beginnings of names of weights that do not learn, for the first `frozen_epochs` (without it: for ever).
        seed: of weights, order and augmentation.
        precision: of forwards and backwards; "auto" is bfloat16 on GPUs that have it. Weights, losses and answers are
            float32 always.
        compile: torch.compile; "auto" does on GPUs where a training is long enough to gain from it.
        workers: distributed workers.
        gpu: one GPU a worker ("auto": when the cluster has them).
        read_ahead: batches made for a GPU before it asks for them.
        checkpoint_s: seconds between checkpoints within an epoch; each epoch ends with one.
        stall_s: a run without a checkpoint for so long is ended with an error.
        retries: how often killed workers are replaced.
    """

    epochs: int = Field(ge=1)
    batch_size: int = Field(ge=1)
    learning_rate: float = Field(gt=0)
    weight_decay: float = Field(ge=0)
    seed: int = Field(ge=0)
    accumulate: int = Field(default=1, ge=1)
    sampling: Literal["all", "balanced"] = "all"
    optimizer: Literal["adamw", "sgd"] = "adamw"
    warmup: float = Field(default=0.1, ge=0, lt=1)
    l1: float = Field(default=0.0, ge=0)
    gradient_clip: float = Field(default=1.0, gt=0)
    ema: float = Field(default=0.0, ge=0, lt=1)
    patience: int | None = Field(default=None, ge=1)
    keep: Literal["best", "last"] = "best"
    start: Start | None = None
    frozen: tuple[str, ...] = ()
    frozen_epochs: int | None = Field(default=None, ge=1)
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    compile: Literal["auto", "yes", "no"] = "auto"
    workers: int = Field(default=1, ge=1)
    gpu: Literal["auto", "no"] = "auto"
    read_ahead: int = Field(default=2, ge=0, le=64)
    checkpoint_s: float = Field(default=300, ge=0)
    stall_s: float = Field(default=1800, gt=0)
    retries: int = Field(default=3, ge=0)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.batch_size % (self.workers * self.accumulate):
            raise ValueError(
                f"batch_size {self.batch_size} does not divide among {self.workers} workers x {self.accumulate} parts"
            )
        if self.frozen_epochs is not None and not self.frozen:
            raise ValueError("frozen_epochs without frozen: name what is frozen for so long")
        return self


class ModelTarget(Section):
    """The name under which the model is kept, and whether it becomes the production model."""

    name: Name
    promote: bool = False


class TrainRecipe(Reads):
    job: Literal["train"]
    task: TaskConfig
    split: Split
    training: Training
    model: ModelTarget

    @model_validator(mode="after")
    def _balance_of_answers(self) -> Self:
        if self.training.sampling == "balanced" and self.task.kind not in _ONE_ANSWER:
            raise ValueError(
                f"[training] sampling = 'balanced' belongs to tasks with one answer: {', '.join(_ONE_ANSWER)}"
            )
        return self
