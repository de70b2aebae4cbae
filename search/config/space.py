"""The search space: turns YAML into Optuna's distributions.

A hyperparameter is a range ``{low: 1.0e-4, high: 1.0e-2, log: true}`` or ``{low: 16, high: 128,
step: 16}``, a list of choices ``{choices: [64, 128]}``, or a plain value, which fixes it. A range
or choices with ``when: {gates: refined}`` are searched only then. Any field of
:class:`copytask.TrainingConfig` can be a hyperparameter, except those that define the study.
"""

import dataclasses
from collections.abc import Mapping
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Optional, Union, get_args

from pydantic import ConfigDict, Field, PydanticSchemaGenerationError, TypeAdapter

from copytask import TrainingConfig
from copytask.models import architecture_keywords, find_factory, keyword_types
from search.config.dimensions import Choices, Dimension, Range, Scalar

STUDY_FIELDS = ("model", "task", "T")
"""The fields of a training config that define the study; all others can be searched."""

ARCHITECTURE = "architecture"
"""The field of a training config that holds the keywords of the architecture."""

TRAINING_FIELDS: dict[str, Any] = {
    field.name: field.type
    for field in dataclasses.fields(TrainingConfig)
    if field.name not in (*STUDY_FIELDS, ARCHITECTURE)
}
"""Name of each field that can be searched -> its type."""

PLAIN = (bool, int, float, str, list, tuple, dict, NoneType)
"""Types of the values that a file can hold."""

Types = Mapping[str, Any]
"""Name -> type of every possible hyperparameter of a study."""


def architecture_types(model: str) -> dict[str, Any]:
    """Name -> type of each hyperparameter of an architecture that a study can have.

    A keyword with the name of a training's field is none: there, the name means that field. Nor is
    one with a default that no file can hold, unless an annotation says what else it takes.

    Raises:
        ValueError: the architecture is unknown.
    """
    keywords = architecture_keywords(find_factory(model))
    return {
        name: kind for name, kind in keyword_types(model).items()
        if name not in TRAINING_FIELDS
        and (kind in PLAIN or kind is not type(keywords[name].default))
    }  # fmt: skip


def architecture_defaults(model: str) -> dict[str, Any]:
    """The defaults of these hyperparameters that a file can hold.

    Raises:
        ValueError: the architecture is unknown.
    """
    keywords = architecture_keywords(find_factory(model))
    defaults = {name: keywords[name].default for name in architecture_types(model)}
    return {name: value for name, value in defaults.items() if isinstance(value, PLAIN)}


def split_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of hyperparameters as those of a training config: some are the architecture's."""
    of_training = {k: v for k, v in values.items() if k in TRAINING_FIELDS}
    return {**of_training, ARCHITECTURE: {k: v for k, v in values.items() if k not in of_training}}


def flat_values(training: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of :func:`split_values`; earlier versions recorded flat values."""
    others = {k: v for k, v in training.items() if k != ARCHITECTURE}
    return {**others, **training.get(ARCHITECTURE, {})}


def typed(name: str, value: Any, types: Types) -> Any:
    """Convert a value to the type of a hyperparameter; YAML, for one, reads 1e-3 as text.

    Without a type (a user's own architecture that is not imported) it stays as it was recorded.

    Raises:
        ValidationError: it cannot be converted.
    """
    return _adapter(types.get(name, Any)).validate_python(value)


@cache  # to make one takes longer than all else in choosing a configuration
def _adapter(kind: Any) -> TypeAdapter[Any]:
    if isinstance(kind, UnionType):  # a number, if it can be read as one, and text otherwise
        members = tuple(member for member in get_args(kind) if member is not NoneType)
        one = members[0]
        if len(members) > 1:
            one = Annotated[Union[members], Field(union_mode="left_to_right")]  # noqa: UP007
        kind = Optional[one] if NoneType in get_args(kind) else one  # noqa: UP045
    try:
        return TypeAdapter[Any](kind)
    except PydanticSchemaGenerationError:  # a class of the user's, of which no value can be read
        return TypeAdapter[Any](kind, config=ConfigDict(arbitrary_types_allowed=True))


def parse_dimension(name: str, value: Any, types: Types) -> Dimension | Scalar:
    """Read one entry of ``space``.

    Raises:
        ValueError: the value is not a range, choices or a plain value. (For a fault inside a range,
            pydantic's ValidationError.)
    """
    if isinstance(value, dict):
        if "choices" in value:
            choices = Choices.model_validate(value)
            typed_choices = [typed(name, choice, types) for choice in choices.choices]
            return choices.model_copy(
                update={"choices": typed_choices, "when": typed_conditions(choices, types)}
            )
        kind = types.get(name)
        members = get_args(kind) or (kind,)
        default = "int" if int in members and float not in members else "float"
        range_ = Range.model_validate({"type": default, **value})
        return range_.model_copy(update={"when": typed_conditions(range_, types)})
    if isinstance(value, Scalar):
        scalar: Scalar = typed(name, value, types)
        return scalar
    raise ValueError(
        f"expected a range {{low, high}}, {{choices: [...]}} or a plain value, but got {value!r}"
    )


def typed_conditions(dimension: Dimension, types: Types) -> dict[str, list[Scalar]]:
    """The conditions of a hyperparameter, with values of the types of the others."""
    return {
        other: [typed(other, value, types) for value in values]
        for other, values in dimension.when.items()
    }
