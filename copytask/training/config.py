"""Everything that decides how one model is trained."""

import dataclasses
import math
import numbers
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch

from copytask.error_lines import message_line
from copytask.models import check_architecture
from copytask.tasks import CopyTask, find_task
from copytask.training.checkpoint import recorded_training
from copytask.training.curriculum import CURRICULA
from copytask.training.precision import PRECISIONS
from copytask.training.seeds import Purpose, stream_seed

OPTIMIZERS: dict[str, partial[Any]] = {
    "adam": partial(torch.optim.Adam, fused=True),
    "adamw": partial(torch.optim.AdamW, fused=True),
    "rmsprop": partial(torch.optim.RMSprop),
    "sgd": partial(torch.optim.SGD, fused=True),
}
"""Name of each optimizer -> a function of parameters and settings that makes it."""


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """The settings of one training.

    Values are checked when the object is made; those of ``architecture`` when its model is built.

    Attributes:
        model: the architecture: a key of ``copytask.MODELS``, or a user's own cell as
            ``path/file.py:factory`` or ``package.module:factory``.
        task: a key of ``copytask.TASKS``, or a user's own as ``path/file.py:MyTask`` or
            ``package.module:MyTask``.
        T: the length that the model should solve.
        hidden_size: hidden units of the cell, or width of a stack of blocks.
        architecture: other hyperparameters of the architecture, keywords of its factory; what is
            missing has the factory's default.
        learning_rate: learning rate of the optimizer before it decays.
        curriculum: how training lengths grow, a key of ``copytask.CURRICULA``.
        curriculum_length: for the curriculum "ramp": optimizer steps over which the largest
            training length grows geometrically from 2 to T; 0 trains at T from the first step.
        growth: for "adaptive": the share by which the largest training length grows.
        growth_accuracy: for "adaptive": the training accuracy at which it grows.
        long_share: for "adaptive": share of the batches whose length is near the largest one.
        beyond_share: share of the tokens that are trained, while the learning rate decays, at
            lengths between the largest one of the curriculum and T.
        training_payloads: number of payloads to train on, drawn once and visited in turn; 0 draws
            fresh payloads for every batch.
        batch_size: sequences in a batch.
        optimizer: a key of ``copytask.OPTIMIZERS``.
        weight_decay: weight decay of the optimizer.
        clip_norm: largest norm of the gradient; 0 does not clip. With clipping, a step whose
            gradient is not finite is skipped.
        rewind: whether a training that falls far back returns to its best state, with half the
            learning rate, see :class:`copytask.training.rewind.Rewind`.
        tokens_per_iteration: tokens (batch x length) between two evaluations.
        max_tokens: the budget of the training, in tokens.
        max_steps: a second budget, in optimizer steps; 0 sets none. The training ends when either
            budget is spent.
        decay_share: the last share of the budget, over which the learning rate decays linearly
            to 0.
        stop_when_solved: whether to end the training as soon as it has solved T.
        validation_payloads: payloads of an evaluation, at each length of the ladder.
        seed: seed of the initial weights and the training data.
        validation_seed: seed of the validation data; give trials that you compare the same one.
        device: "cpu", "cuda", ... or "auto", which is CUDA if there is a GPU, else the CPU.
        precision: precision of matrix products: "fp32", "bf16", or "auto", which is what trains
            faster on this machine; see :func:`copytask.fastest_precision`.

    Raises:
        ValueError: a value is out of range or unknown; the message names it.
    """

    model: str
    T: int
    task: str = "delay"
    hidden_size: int = 128
    architecture: Mapping[str, Any] = field(default_factory=dict)
    learning_rate: float = 2e-3
    curriculum: str = "ramp"
    curriculum_length: int = 2000
    growth: float = 0.05
    growth_accuracy: float = 0.85
    long_share: float = 0.5
    beyond_share: float = 0.0
    training_payloads: int = 0
    batch_size: int = 32
    optimizer: str = "adam"
    weight_decay: float = 0.0
    clip_norm: float = 1.0
    rewind: bool = True
    tokens_per_iteration: int = 400_000
    max_tokens: int = 12_000_000
    max_steps: int = 0
    decay_share: float = 0.5
    stop_when_solved: bool = True
    validation_payloads: int = 200
    seed: int = 0
    validation_seed: int = 0
    device: str = "auto"
    precision: str = "auto"

    def __post_init__(self) -> None:
        for name, (kind, rule) in _NUMBERS.items():
            value = getattr(self, name)
            self._require(name, isinstance(value, kind) and not isinstance(value, bool), rule)
        for name in (
            "T", "hidden_size", "batch_size", "tokens_per_iteration", "max_tokens",
            "validation_payloads",
        ):  # fmt: skip
            self._require(name, getattr(self, name) >= 1, ">= 1")
        for name in ("learning_rate", "growth"):
            self._require(name, 0 < getattr(self, name) < math.inf, "> 0 and finite")
        for name in (
            "curriculum_length", "training_payloads", "weight_decay", "clip_norm", "max_steps",
        ):  # fmt: skip
            self._require(name, getattr(self, name) >= 0, ">= 0")
        for name in ("growth_accuracy", "long_share", "beyond_share", "decay_share"):
            self._require(name, 0 <= getattr(self, name) <= 1, "in 0..1")
        for name, choices in (
            ("curriculum", CURRICULA), ("optimizer", OPTIMIZERS),
            ("precision", ("auto", *PRECISIONS)),
        ):  # fmt: skip
            self._require(name, getattr(self, name) in choices, f"one of {', '.join(choices)}")
        task = find_task(self.task)
        if self.training_payloads and not isinstance(task, CopyTask):
            raise ValueError(
                f"training_payloads must be 0 for the task {self.task!r}, which is not made of a "
                f"payload alone, but got {self.training_payloads}"
            )
        check_architecture(self.model, self.architecture)
        for seed in (self.seed, self.validation_seed):
            stream_seed(seed, Purpose.MODEL)
        try:
            device = torch.device("cpu" if self.device == "auto" else self.device)
        except RuntimeError as error:
            raise ValueError(f"device: {message_line(error)}") from None
        if device.type == "mps":
            raise ValueError("device: mps has no float64, in which models are tested; use cpu")

    def _require(self, name: str, holds: bool, rule: str) -> None:
        if not holds:
            raise ValueError(f"{name} must be {rule}, but got {getattr(self, name)!r}")

    def resolve_device(self) -> torch.device:
        """The torch device that ``device`` means on this machine."""
        if self.device == "auto":
            return torch.device("cuda" if torch.cuda.is_available() else "cpu")
        return torch.device(self.device)

    def to_dict(self) -> dict[str, Any]:
        """All settings as plain values, for a checkpoint or a file."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "TrainingConfig":
        """Make a config from plain values: the inverse of :meth:`to_dict`.

        Raises:
            ValueError: a key is unknown, or a value is out of range.
        """
        unknown = set(values) - {field.name for field in dataclasses.fields(cls)}
        if unknown:
            raise ValueError(f"unknown training settings: {', '.join(sorted(unknown))}")
        return cls(**values)

    @classmethod
    def from_recorded(cls, values: Mapping[str, Any]) -> "TrainingConfig":
        """Make a config from what :meth:`to_dict` of any version gave.

        Raises:
            ValueError: a key is unknown, or a value is out of range.
        """
        return cls.from_dict(recorded_training(values))


_NUMBERS: dict[str, tuple[type, str]] = {
    of.name: (numbers.Integral, "a whole number") if of.type is int else (numbers.Real, "a number")
    for of in dataclasses.fields(TrainingConfig)
    if of.type in (int, float)
}
"""Name of each setting that is a number -> the class of its values, and what that is called."""
