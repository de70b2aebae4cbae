"""The search space: turns YAML into Optuna's distributions.

A hyperparameter is a range ``{low: 1.0e-4, high: 1.0e-2, log: true}``, a list of choices
``{choices: [64, 128]}``, or a plain value, which fixes it. Any field of
:class:`copytask.TrainingConfig` can be a hyperparameter, except those that define the study.
"""

import dataclasses
from collections.abc import Mapping
from types import UnionType
from typing import Annotated, Any, Literal

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from copytask import TrainingConfig

Scalar = bool | int | float | str

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

Types = Mapping[str, Any]
"""Name -> type of every possible hyperparameter of a study."""


def split_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of hyperparameters as those of a training config: some are the architecture's."""
    of_training = {k: v for k, v in values.items() if k in TRAINING_FIELDS}
    return {**of_training, ARCHITECTURE: {k: v for k, v in values.items() if k not in of_training}}


def flat_values(training: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of :func:`split_values`; earlier versions recorded flat values."""
    others = {k: v for k, v in training.items() if k != ARCHITECTURE}
    return {**others, **training.get(ARCHITECTURE, {})}


class Range(BaseModel):
    """All numbers from low to high, both included."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    low: float
    high: float
    log: bool = False
    type: Literal["float", "int"] = "float"

    @model_validator(mode="after")
    def check(self) -> "Range":
        if not self.low < self.high:
            raise ValueError(f"low < high must hold, but got low={self.low:g}, high={self.high:g}")
        if self.log and self.low <= 0:
            raise ValueError(f"a log range needs low > 0, but got low={self.low:g}")
        if self.type == "int" and not (self.low.is_integer() and self.high.is_integer()):
            raise ValueError(
                f"an int range needs whole numbers, but got low={self.low:g}, high={self.high:g}"
            )
        return self

    def distribution(self) -> BaseDistribution:
        """The distribution that Optuna samples from; :meth:`value_of` rounds its samples.

        Whole numbers are sampled as floats, from half a unit below the range to half a unit above
        it, so that both ends are as likely as the numbers between. With an ``IntDistribution`` TPE
        takes eight times as long.
        """
        margin = 0.5 if self.type == "int" else 0.0
        return FloatDistribution(self.low - margin, self.high + margin, log=self.log)

    def value_of(self, sample: float) -> float:
        """The value for a sample: in an int range, the nearest whole number."""
        if self.type == "float":
            return sample
        return int(min(max(round(sample), self.low), self.high))

    def contains(self, value: Scalar) -> bool:
        return not isinstance(value, str) and self.low <= value <= self.high

    def examples(self) -> list[Scalar]:
        """The two ends: if they are valid, so is the whole range."""
        return [int(v) if self.type == "int" else v for v in (self.low, self.high)]


class Choices(BaseModel):
    """One of a few values."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    choices: list[Scalar] = Field(min_length=1)

    def distribution(self) -> BaseDistribution:
        return CategoricalDistribution(self.choices)

    def value_of(self, sample: Scalar) -> Scalar:
        """The choice itself."""
        return sample

    def contains(self, value: Scalar) -> bool:
        return value in self.choices

    def examples(self) -> list[Scalar]:
        return list(self.choices)


Dimension = Range | Choices


def typed(name: str, value: Any, types: Types) -> Any:
    """Convert a value to the type of a hyperparameter; YAML, for one, reads 1e-3 as text.

    Without a type (a user's own architecture that is not imported) it stays as it was recorded.

    Raises:
        ValidationError: it cannot be converted.
    """
    kind = types.get(name, Any)
    if isinstance(kind, UnionType):  # a number, if it can be read as one, and text otherwise
        kind = Annotated[kind, Field(union_mode="left_to_right")]
    return TypeAdapter[Any](kind).validate_python(value)


def parse_dimension(name: str, value: Any, types: Types) -> Dimension | Scalar:
    """Read one entry of ``space``.

    Raises:
        ValueError: the value is not a range, choices or a plain value. (For a fault inside a range,
            pydantic's ValidationError.)
    """
    if isinstance(value, dict):
        if "choices" in value:
            choices = Choices.model_validate(value)
            return Choices(choices=[typed(name, choice, types) for choice in choices.choices])
        default = "int" if types.get(name) is int else "float"
        return Range.model_validate({"type": default, **value})
    if isinstance(value, Scalar):
        scalar: Scalar = typed(name, value, types)
        return scalar
    raise ValueError(
        f"expected a range {{low, high}}, {{choices: [...]}} or a plain value, but got {value!r}"
    )
