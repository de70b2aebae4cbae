"""The schema of a study's configuration."""

import math
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from typing import Any

from pydantic import Field, PrivateAttr, ValidationInfo, field_validator, model_validator

from copytask import MODELS, TrainingConfig, build_model, fastest_precision, find_task
from copytask.models import check_interface
from copytask.user_code import absolute_name
from search.config.conditions import SearchSpace
from search.config.dimensions import Choices, Dimension, Range, Scalar
from search.config.layers import TRAINING_DEFAULTS, completed
from search.config.sections import ResourcesConfig, SearchConfig, Section
from search.config.space import (
    ARCHITECTURE,
    TRAINING_FIELDS,
    Types,
    architecture_defaults,
    architecture_types,
    parse_dimension,
    split_values,
    typed,
)
from search.config.value_checks import check_space, check_values, typed_fixed

CHECKED_HIDDEN_SIZE = 8
"""Hidden size at which the interface of a user's cell is checked."""

RECORDED: dict[str, Any] = {}
"""Validation context of a configuration that is only read: its values are not checked."""

TOKEN_FIELDS = ("max_tokens", "tokens_per_iteration")
"""Fields of a training that grow with a T beyond the list, unless they are searched."""

DEFAULT_FINAL: dict[str, Any] = {
    "max_tokens": 48_000_000,
    "decay_share": 0.9,
    "stop_when_solved": False,
    "validation_payloads": 500,
}


class StudyConfig(Section):
    """The configuration of a study: one model, one task, several T in ascending order.

    Attributes:
        model: the architecture, see :class:`copytask.TrainingConfig`.
        task: the task, see :class:`copytask.TrainingConfig`.
        T: the lengths to search at.
        training: fixed fields of :class:`copytask.TrainingConfig`, all that are not in ``space``.
        architecture: fixed keywords of the architecture, likewise.
        space: the hyperparameters, see :mod:`search.config.space`; they override ``training``.
        search: how the study searches.
        final: what the final training changes in the trial that it repeats.
        resources: what each trial needs.
    """

    model: str
    task: str = "delay"
    T: list[int] = Field([100, 200, 500, 1000])
    training: dict[str, Any] = Field({})
    architecture: dict[str, Any] = Field({})
    space: dict[str, Any] = Field({})
    search: SearchConfig = SearchConfig()
    final: dict[str, Any] = DEFAULT_FINAL
    resources: ResourcesConfig = ResourcesConfig()

    _checked: bool = PrivateAttr(default=False)  # the model is imported, its keywords are known

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, values: Any, info: ValidationInfo) -> Any:
        if not isinstance(values, Mapping):
            return values
        model = values.get("model")
        keywords = None
        if isinstance(model, str) and (info.context is not RECORDED or model in MODELS):
            with suppress(ValueError):  # an unknown model is reported by its own check
                keywords = architecture_defaults(model)
        return completed(values, keywords)

    @field_validator("model")
    @classmethod
    def _check_model(cls, name: str, info: ValidationInfo) -> str:
        if info.context is RECORDED:
            return name
        name = absolute_name(name)  # for workers, and for a resume from another folder
        check_interface(name, CHECKED_HIDDEN_SIZE)
        return name

    @field_validator("task")
    @classmethod
    def _check_task(cls, name: str, info: ValidationInfo) -> str:
        if info.context is not RECORDED:
            name = absolute_name(name)
            find_task(name)
        return name

    @field_validator("T", mode="before")
    @classmethod
    def _read_one_length(cls, lengths: Any) -> Any:
        return [lengths] if isinstance(lengths, int) else lengths

    @field_validator("T")
    @classmethod
    def _sort_lengths(cls, lengths: list[int]) -> list[int]:
        if not lengths or min(lengths) < 1:
            raise ValueError(f"needs at least one length, each >= 1, but got {lengths}")
        return sorted(set(lengths))

    @field_validator("training", "final")
    @classmethod
    def _check_training(cls, values: dict[str, Any]) -> dict[str, Any]:
        return typed_fixed(values, TRAINING_FIELDS, "key")

    @field_validator("architecture", "space")
    @classmethod
    def _check_hyperparameters(cls, values: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        if info.context is RECORDED or "model" not in info.data:
            return values
        keywords = architecture_types(info.data["model"])
        if info.field_name == "architecture":
            return typed_fixed(values, keywords, "hyperparameter")
        check_space(values, {**TRAINING_FIELDS, **keywords})
        return values

    @model_validator(mode="after")
    def _check_values(self, info: ValidationInfo) -> "StudyConfig":
        """Check that every value that a trial could get makes a valid training config."""
        if info.context is RECORDED:
            return self
        self._checked = True
        check_values(self)
        return self

    @cached_property
    def types(self) -> Types:
        """Name -> type of every possible hyperparameter.

        Those of a user's own architecture are known only if it is imported: in a study that is only
        looked at they are not.
        """
        known = self.model in MODELS or self._checked
        return {**TRAINING_FIELDS, **(architecture_types(self.model) if known else {})}

    def dimensions(self) -> dict[str, Dimension]:
        """The hyperparameters that are searched, without those that ``space`` fixes.

        One with a condition is among them: :meth:`search_space` knows when it is searched.
        """
        return {name: d for name, d in self.read_space().items() if isinstance(d, Range | Choices)}

    def read_space(self) -> dict[str, Dimension | Scalar]:
        """What ``space`` means, however it is written; YAML reads 1e-3 as text, for one."""
        types = self.types
        return {name: parse_dimension(name, value, types) for name, value in self.space.items()}

    def search_space(self) -> SearchSpace:
        """The searched hyperparameters with their conditions."""
        dimensions = self.dimensions()
        fixed = {**TRAINING_DEFAULTS, **self.training, **self.architecture, **self.space}
        return SearchSpace(
            dimensions,
            {
                name: typed(name, value, self.types) for name, value in fixed.items()
                if name not in dimensions
            },
        )  # fmt: skip

    def initial_points(self) -> list[dict[str, Scalar]]:
        """The values of ``search.initial`` that lie in the search space."""
        dimensions = self.dimensions().items()
        points = [
            {name: typed(name, value, self.types) for name, value in point.items()}
            for point in self.search.initial
        ]
        return [
            {
                name: dimension.value_of(p[name]) for name, dimension in dimensions
                if name in p and dimension.contains(p[name])
            }
            for p in points
        ]  # fmt: skip

    def possible_values(self, name: str) -> list[Any]:
        """The value of a training field; if searched, its choices or the ends of its range.

        If it is searched under a condition, also its default, which it has otherwise.
        """
        dimension = self.dimensions().get(name)
        if dimension is not None:
            default = {name: TRAINING_DEFAULTS.get(name)} if dimension.when else {}
            return [*dimension.examples(), *(v for v in default.values() if v is not None)]
        fixed = {**TRAINING_DEFAULTS, **self.training, **self.architecture, **self.space}
        return [typed(name, fixed[name], self.types)]

    def architecture_with(self, name: str, value: Any) -> dict[str, Any]:
        """The architecture of a trial that has this value of a hyperparameter.

        Of every other keyword that is searched it has the first choice, or the low end of the
        range, unless the value has a condition that needs another one.
        """
        space = self.search_space()
        values = {
            key: self.possible_values(key)[0]
            for key in self.types
            if key in self.architecture or (key in self.space and key not in TRAINING_FIELDS)
        }
        values |= {**space.fulfilled(name), name: value}
        architecture: dict[str, Any] = split_values(space.without_unsearched(values))[ARCHITECTURE]
        return architecture

    def max_iterations(self, T: int) -> int:
        """Iterations at T of a trial that spends its whole budget, at most."""
        tokens = max(self._possible_tokens("max_tokens", T))
        return math.ceil(tokens / min(self._possible_tokens("tokens_per_iteration", T)))

    def _possible_tokens(self, name: str, T: int) -> list[int]:
        """The possible values of a field of tokens at T; those that are searched do not grow."""
        dimension = self.dimensions().get(name)
        searched = [] if dimension is None else dimension.examples()
        fixed = self.possible_values(name)[len(searched) :]
        return [*searched, *(self._stretched({name: value}, T)[name] for value in fixed)]

    def training_config(
        self, T: int, hyperparameters: Mapping[str, Any], seed: int
    ) -> TrainingConfig:
        """The training config of a trial.

        Args:
            T: the length.
            hyperparameters: the samples of the search space, without those that are not searched
                beside the others. These have their defaults.
            seed: the seed of the trial.

        Raises:
            ValueError: a value is out of range.
        """
        dimensions = self.dimensions()
        fixed = {k: v for k, v in self.space.items() if k not in dimensions}
        searched = {
            name: dimensions[name].value_of(value) if name in dimensions else value
            for name, value in hyperparameters.items()
        }
        values = {"seed": seed, **TRAINING_DEFAULTS, **self.training, **fixed, **searched}
        values = {**self.architecture, **values}
        values = {name: typed(name, value, self.types) for name, value in values.items()}
        chosen = {name: values[name] for name in searched}
        values = {**self._stretched(values, T), **chosen}
        return TrainingConfig(model=self.model, task=self.task, T=T, **split_values(values))

    def final_training(self, winner: Mapping[str, Any]) -> TrainingConfig:
        """The training config of the final training: the winner's with the changes in ``final``.

        It has the winner's seed. So until the learning rates differ it repeats the winner's
        training, where a training with a fresh seed may collapse.

        Raises:
            ValueError: a value is out of range.
        """
        changes = {name: typed(name, v, TRAINING_FIELDS) for name, v in self.final.items()}
        return TrainingConfig.from_recorded({**winner, **self._stretched(changes, winner["T"])})

    def _stretched(self, values: Mapping[str, Any], T: int) -> dict[str, Any]:
        """The same training at a T beyond the list: of as many steps, so of more tokens.

        With no more tokens than at the last T of the list, a curriculum could not come to its end.
        """
        return {
            name: round(value * self._longer(T)) if name in TOKEN_FIELDS else value
            for name, value in values.items()
        }

    def stall_minutes(self, T: int) -> float:
        """``search.stall_minutes``; in proportion more beyond the list, as an iteration takes."""
        return self.search.stall_minutes * self._longer(T)

    def _longer(self, T: int) -> float:
        """How many times longer than the last T of the list a T beyond it is; else 1."""
        return max(1.0, T / self.T[-1])

    def fresh_training(self, trial: Mapping[str, Any], seed: int) -> TrainingConfig:
        """The training config of a trial with another seed, and validation payloads of its own."""
        return TrainingConfig.from_recorded({**trial, "seed": seed, "validation_seed": seed})

    def race_training(self, candidate: Mapping[str, Any], seed: int) -> TrainingConfig:
        """The training config of a race: the candidate's with another seed, until it solves T."""
        return self.fresh_training({**candidate, "stop_when_solved": True}, seed)

    def with_precision(self, precision: str) -> "StudyConfig":
        """Replace ``precision: auto``, so that all trials have the same precision."""
        settled = "precision" in self.space or self.training.get("precision", "auto") != "auto"
        if settled or precision == "auto":
            return self
        return self.model_copy(update={"training": {**self.training, "precision": precision}})

    def measure_precision(self) -> str:
        """Measure which precision trains faster on this machine, at the largest hidden size."""
        if self.resources.gpus_per_trial > 0:
            return "fp32"
        width = max(self.possible_values("hidden_size"))
        architecture = self.architecture_with("hidden_size", width)
        return fastest_precision(
            build_model(self.model, width, task=self.task, **architecture),
            batch_size=max(self.possible_values("batch_size")),
        )
