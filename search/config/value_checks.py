"""Checks the values of a configuration: those that are fixed, and all that a trial could get."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import torch
from pydantic import BaseModel, ValidationError

from copytask import TrainingConfig, build_model
from copytask.error_lines import error_line, message_line
from search.config.algorithms import SAMPLERS
from search.config.conditions import check_conditions, check_grid
from search.config.dimensions import Choices, Range
from search.config.faults import describe
from search.config.space import (
    TRAINING_FIELDS,
    Types,
    parse_dimension,
    typed,
)
from search.errors import unknown

if TYPE_CHECKING:
    from search.config.study_config import StudyConfig


def typed_fixed(values: Mapping[str, Any], types: Types, kind: str) -> dict[str, Any]:
    """A section of fixed values, each converted to its type, see :func:`typed`.

    Args:
        kind: what a name of it is called.

    Raises:
        ValueError: a name or a value is wrong; the message begins with ``.NAME``.
    """
    converted = {}
    for name, value in values.items():
        if name not in types:
            raise ValueError(f".{name}: {unknown(kind, name, types)}")
        try:
            converted[name] = typed(name, value, types)
        except ValidationError as error:
            raise ValueError(f".{name}: {describe(error, BaseModel)}") from None
    return converted


def check_space(space: Mapping[str, Any], types: Types) -> None:
    """Check the names, ranges, choices and conditions of a search space.

    Raises:
        ValueError: one is wrong; the message begins with ``.NAME``.
    """
    dimensions = {}
    for name, value in space.items():
        if name not in types:
            raise ValueError(f".{name}: {unknown('hyperparameter', name, types)}")
        try:
            dimension = parse_dimension(name, value, types)
        except ValidationError as error:
            has_choices = isinstance(value, Mapping) and "choices" in value
            schema = Choices if has_choices else Range
            raise ValueError(f".{name}: {describe(error, schema)}") from None
        except ValueError as error:
            raise ValueError(f".{name}: {error}") from None
        if isinstance(dimension, Choices):
            for place, choice in enumerate(dimension.choices):
                if choice in dimension.choices[:place]:
                    raise ValueError(f".{name}: choices has {choice!r} twice")
        if isinstance(dimension, Range | Choices):
            dimensions[name] = dimension
    check_conditions(dimensions, types)


def check_values(config: "StudyConfig") -> None:
    """Check that every value that a trial could get makes a valid training config.

    Raises:
        ValueError: one does not; the message begins with the key.
    """
    if SAMPLERS[config.search.sampler].on_grid:
        check_grid(config.search_space())
    check_examples(config, _examples(config))


def check_between(config: "StudyConfig") -> None:
    """Check a value between the ends of each range: a hyperparameter may take whole numbers only.

    Raises:
        ValueError: it makes no valid training config; the message begins with the key.
    """
    ranges = {name: d for name, d in config.dimensions().items() if isinstance(d, Range)}
    check_examples(config, ((f"space.{name}", name, d.between()) for name, d in ranges.items()))


def check_examples(config: "StudyConfig", examples: Iterable[tuple[str, str, Any]]) -> None:
    """Check that values make a valid training config.

    Args:
        examples: where each comes from, its name, and the value.

    Raises:
        ValueError: one does not; the message begins with where it comes from.
    """
    for origin, name, value in examples:
        try:
            _try_value(config, name, typed(name, value, config.types))
        except ValidationError as error:
            raise ValueError(f"{origin}: {describe(error, BaseModel)}") from None
        except ValueError as error:
            culprit = str(error).partition(" ")[0]
            for section in ("architecture", "space", "training"):
                if origin == "architecture" and culprit in getattr(config, section):
                    origin = f"{section}.{culprit}"
            raise ValueError(f"{origin}: {message_line(error)}") from None


def _examples(config: "StudyConfig") -> Iterator[tuple[str, str, Any]]:
    """Where a value comes from, its name, and the value; of each range the ends."""
    # First what is fixed in the architecture, at every hidden size.
    for size in config.possible_values("hidden_size"):
        yield "architecture", "hidden_size", size
    for section in ("training", "final"):
        for name, value in getattr(config, section).items():
            yield f"{section}.{name}", name, value
    dimensions = config.dimensions()
    for name, value in config.space.items():
        for example in dimensions[name].examples() if name in dimensions else [value]:
            yield f"space.{name}", name, example
    for point in config.search.initial:
        for name, value in point.items():
            if name not in config.space:
                raise ValueError(f"search.initial: {unknown('hyperparameter', name, config.space)}")
            yield "search.initial", name, value


def _try_value(config: "StudyConfig", name: str, value: Any) -> None:
    """Raise ValueError if no training can have this value."""
    if name in TRAINING_FIELDS:
        TrainingConfig(model=config.model, task=config.task, T=config.T[0], **{name: value})
        if name != "hidden_size":
            return
    architecture = config.architecture_with(name, value)
    sizes = [value] if name == "hidden_size" else config.possible_values("hidden_size")
    try:
        with torch.random.fork_rng(devices=[]):
            for size in sizes:
                build_model(config.model, size, task=config.task, **architecture)
    except ValueError:
        raise
    except Exception as error:  # torch, or the user's code, may raise anything
        raise ValueError(f"no model can be made: {error_line(error)}") from error
