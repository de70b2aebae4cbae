"""The configuration of a study: its schema, its YAML files and its overrides."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import (
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from copytask import (
    MODELS,
    TASKS,
    TrainingConfig,
    build_model,
    fastest_precision,
)
from copytask.models import absolute_cell, check_interface
from search.errors import UserError, unknown
from search.layers import CONFIGS, DEFAULT_CONFIG, completed, layered
from search.sections import ResourcesConfig, SearchConfig, Section
from search.space import TRAINING_FIELDS, Choices, Dimension, Range, Scalar, parse_dimension, typed
from search.storage import read_bytes, reason
from study_format import recorded_values
from study_paths import StudyPath

CHECKED_HIDDEN_SIZE = 8
"""Width at which a user's cell is tried out before a search starts."""


RECORDED: dict[str, Any] = {}
"""Context of the validation of a configuration that is only looked at."""

DEFAULT_FINAL: dict[str, Any] = {
    "max_tokens": 48_000_000,
    "decay_share": 0.9,
    "stop_when_solved": False,
    "validation_payloads": 500,
}


class StudyConfig(Section):
    """A whole study: one model, one task, several T in ascending order.

    ``training`` holds fixed fields of :class:`copytask.TrainingConfig`, all but those in
    ``space``, which are searched. A field in both is taken from ``space``. ``final`` holds what
    the final training has other than the trial that it repeats, see :attr:`SearchConfig.final`.
    """

    model: str
    task: Literal[tuple(TASKS)] = "delay"  # type: ignore[valid-type]
    T: list[int] = Field([100, 200, 500, 1000])
    training: dict[str, Any] = Field({})
    space: dict[str, Any] = Field({})
    search: SearchConfig = SearchConfig()
    final: dict[str, Any] = DEFAULT_FINAL
    resources: ResourcesConfig = ResourcesConfig()

    @model_validator(mode="before")
    @classmethod
    def _complete(cls, values: Any) -> Any:
        return completed(values) if isinstance(values, Mapping) else values

    @field_validator("model")
    @classmethod
    def _check_model(cls, name: str, info: ValidationInfo) -> str:
        if info.context is RECORDED:
            return name
        name = absolute_cell(name)  # for workers, and for who resumes it in another folder
        check_interface(name, CHECKED_HIDDEN_SIZE)
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
        for name, value in values.items():
            if name not in TRAINING_FIELDS:
                raise ValueError(f".{name}: {unknown('key', name, TRAINING_FIELDS)}")
            try:
                typed(name, value)
            except ValidationError as error:
                raise ValueError(f".{name}: {_describe(error)}") from None
        return values

    @field_validator("space")
    @classmethod
    def _check_space(cls, values: dict[str, Any]) -> dict[str, Any]:
        for name, value in values.items():
            try:
                parse_dimension(name, value)
            except ValidationError as error:
                raise ValueError(f".{name}: {_describe(error)}") from None
            except ValueError as error:
                raise ValueError(f".{name}: {error}") from None
        return values

    @model_validator(mode="after")
    def _check_values(self, info: ValidationInfo) -> "StudyConfig":
        """Every value that a trial could get must make a valid training config."""
        if info.context is RECORDED:
            return self
        dimensions = self.dimensions()
        examples = [
            (f"{section}.{name}", name, value)
            for section, fixed in (("training", self.training), ("final", self.final))
            for name, value in fixed.items()
        ]
        for name, value in self.space.items():
            values = dimensions[name].examples() if name in dimensions else [value]
            examples += [(f"space.{name}", name, value) for value in values]
        for point in self.search.initial:
            for name in set(point) - set(self.space):
                raise ValueError(f"search.initial: {unknown('hyperparameter', name, self.space)}")
            examples += [("search.initial", name, value) for name, value in point.items()]
        for origin, name, value in examples:
            try:
                TrainingConfig(model=self.model, T=self.T[0], **{name: typed(name, value)})
            except ValidationError as error:
                raise ValueError(f"{origin}: {_describe(error)}") from None
            except ValueError as error:
                raise ValueError(f"{origin}: {error}") from None
        return self

    def dimensions(self) -> dict[str, Dimension]:
        """The hyperparameters that are searched."""
        parsed = {name: parse_dimension(name, value) for name, value in self.space.items()}
        return {name: d for name, d in parsed.items() if isinstance(d, Range | Choices)}

    def initial_points(self) -> list[dict[str, Scalar]]:
        """What of ``search.initial`` lies in the search space."""
        dimensions = self.dimensions().items()
        points = [
            {name: typed(name, value) for name, value in point.items()}
            for point in self.search.initial
        ]
        return [
            {name: p[name] for name, d in dimensions if name in p and d.contains(p[name])}
            for p in points
        ]

    def possible_values(self, name: str) -> list[Any]:
        """The value of a training field, or the choices or ends of its range if searched."""
        dimension = self.dimensions().get(name)
        if dimension is not None:
            return dimension.examples()
        default = getattr(TrainingConfig, name)
        return [typed(name, self.space.get(name, self.training.get(name, default)))]

    def training_config(
        self, T: int, hyperparameters: Mapping[str, Any], seed: int
    ) -> TrainingConfig:
        """The training config of a trial with these sampled hyperparameters.

        Raises:
            ValueError: a value is out of range.
        """
        fixed = {k: v for k, v in self.space.items() if k not in self.dimensions()}
        values = {"seed": seed, **self.training, **fixed, **hyperparameters}
        values = {name: typed(name, value) for name, value in values.items()}
        return TrainingConfig(model=self.model, task=self.task, T=T, **values)

    def final_training(self, winner: Mapping[str, Any]) -> TrainingConfig:
        """The training config of the final training that repeats a winner's training.

        Its seed is the winner's: until the learning rates differ it trains as that did, where a
        fresh one may collapse on the way.

        Raises:
            ValueError: a value is out of range.
        """
        changes = {name: typed(name, value) for name, value in self.final.items()}
        return TrainingConfig.from_dict({**winner, **changes})

    def with_precision(self, precision: str) -> "StudyConfig":
        """This configuration with ``precision: auto`` replaced, for all trials alike."""
        settled = "precision" in self.space or self.training.get("precision", "auto") != "auto"
        if settled or precision == "auto":
            return self
        return self.model_copy(update={"training": {**self.training, "precision": precision}})

    def measure_precision(self) -> str:
        """The precision that trains faster on this machine, at the largest hidden size."""
        if self.resources.gpus_per_trial > 0:
            return "fp32"
        return fastest_precision(
            build_model(
                self.model,
                max(self.possible_values("hidden_size")),
                implementation=self.possible_values("implementation")[0],
            ),
            batch_size=max(self.possible_values("batch_size")),
        )


def installed_configs() -> list[str]:
    """The names of the configurations in :data:`CONFIGS`."""
    return sorted(file.name for file in CONFIGS.glob("*.yaml"))


def find_config(file: Path) -> Path:
    """The configuration that a user means: a file of theirs, or the name of an installed one.

    The folder ``configs`` of a checkout may stand before the name.

    Raises:
        UserError: there is neither.
    """
    if os.path.lexists(file) or file.parent not in (Path(), Path(CONFIGS.name)):
        return file
    if file.name not in installed_configs():
        names = ", ".join(installed_configs())
        raise UserError(f"cannot read {file}: No such file; give a path, or one of {names}")
    return CONFIGS / file.name


def read_yaml(path: StudyPath) -> dict[str, Any]:
    """A mapping from a YAML file.

    Raises:
        UserError: there is no such file, or it does not parse; says where.
    """
    try:
        values = yaml.safe_load(read_bytes(path).decode())
    except OSError as error:
        raise UserError(f"cannot read {path}: {reason(error)}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path}{_where(error)}") from None
    if not isinstance(values, dict):
        raise UserError(f"{path}: expected a mapping of keys, but got {type(values).__name__}")
    return values


def load_config(path: Path, overrides: Sequence[str], flags: Mapping[str, Any]) -> StudyConfig:
    """Read a configuration: the file over default.yaml, ``--set`` overrides, the CLI's own flags.

    Args:
        flags: dotted path -> value.

    Raises:
        UserError: anything is wrong with it; one line.
    """
    values = layered(read_yaml(DEFAULT_CONFIG), read_yaml(path))
    return override(values, overrides, flags, str(path))


def recorded_config(values: Any, source: str) -> StudyConfig:
    """The configuration in a study.yaml, to look at.

    It was checked when it was written. A user's cell is not imported: it may be gone by now, or
    take its time.

    Raises:
        UserError: it is none.
    """
    try:
        if isinstance(values, Mapping):
            values = recorded_values(values)
        return StudyConfig.model_validate(values, context=RECORDED)
    except ValidationError as error:
        raise UserError(f"{source}: config: {_describe(error)}") from None


def override(
    values: dict[str, Any], overrides: Sequence[str], flags: Mapping[str, Any], source: str
) -> StudyConfig:
    """The configuration of plain values from ``source`` after overrides and flags.

    Raises:
        UserError: anything is wrong with it; one line that names the key and where it was given.
    """
    origins = {}  # dotted path -> the option that set it
    for text in overrides:
        path, separator, value = text.partition("=")
        path = named = path.strip()
        if not separator or not path:
            raise UserError(f"--set {text}: expected key.path=value")
        section, _, name = path.partition(".")
        space = values.get("space")
        if section == "training" and isinstance(space, dict) and name in space:
            path = f"space.{name}"  # a plain value there fixes it
        try:
            set_path(values, path, yaml.safe_load(value))
        except yaml.YAMLError as error:
            raise UserError(f"--set {text}: the value{_where(error)}") from None
        origins[path] = f"--set {named}"
    for path, value in flags.items():
        set_path(values, path, value)
        origins[path] = "--" + path.rpartition(".")[2].replace("_", "-")
    if not values.get("model"):
        raise UserError(
            f"which model? Give --model: {', '.join(MODELS)} or your own cell as "
            "path/file.py:factory or package.module:factory"
        )
    try:
        return StudyConfig.model_validate(values)
    except ValidationError as error:
        fault = _describe(error)
        place = fault.partition(":")[0]
        origin = next((p for p in origins if f"{place}.".startswith(f"{p}.")), "")
        if origin == place:  # "--model: unknown model", not "--model: model: unknown model"
            fault = fault.partition(": ")[2]
        raise UserError(f"{origins.get(origin, source)}: {fault}") from None


def set_path(values: dict[str, Any], path: str, value: Any) -> None:
    """Set the dotted ``path`` in nested values.

    Raises:
        UserError: the path leads through something that has no keys.
    """
    *parents, last = path.split(".")
    for parent in parents:
        values = values.setdefault(parent, {})
        if not isinstance(values, dict):
            raise UserError(f"{path}: {parent!r} holds a value, not keys")
    values[last] = value


def _describe(error: ValidationError) -> str:
    """The first fault of a pydantic error in one line."""
    fault = error.errors()[0]
    location = [part for part in fault["loc"] if not str(part).startswith("function-")]
    path = ".".join(map(str, location))
    if fault["type"] == "extra_forbidden":
        return f"{path}: {unknown('key', location[-1], _keys(location[:-1]))}"
    message = fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "missing":
        message = "is missing"
    elif fault["type"] != "value_error":
        message = f"{message[0].lower()}{message[1:]}, but got {fault['input']!r}"
    if message.startswith("."):  # a check of a field's own, which names a key below it
        return path + message
    return f"{path}: {message}" if path else message


def _keys(location: Sequence[str | int]) -> list[str]:
    """The valid keys of the section at ``location``."""
    section: Any = StudyConfig
    for part in location:
        section = section.model_fields[part].annotation
    return list(section.model_fields)


def _where(error: Exception) -> str:
    """Line and reason of a YAML error."""
    mark = getattr(error, "problem_mark", None)
    position = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
    reason = getattr(error, "problem", None) or str(error).partition("\n")[0]
    return f"{position}: no valid YAML: {reason}"
