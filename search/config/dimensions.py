"""One searched hyperparameter: a range or a list of choices, and when it is searched."""

import math
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, field_validator, model_validator

Scalar = bool | int | float | str


class Condition(BaseModel):
    """What ranges and choices have in common.

    Attributes:
        when: other hyperparameters -> their values with which this one is searched; with all
            others it has its default. YAML may have one value in place of a list of them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    when: dict[str, list[Scalar]] = {}

    @field_validator("when", mode="before")
    @classmethod
    def _read_one_value(cls, when: Any) -> Any:
        if not isinstance(when, Mapping):
            return when
        return {
            name: values if isinstance(values, list) else [values] for name, values in when.items()
        }


class Range(Condition):
    """All numbers from low to high, both included; or those that are whole steps from low."""

    low: FiniteFloat
    high: FiniteFloat
    step: FiniteFloat | None = Field(None, gt=0)
    log: bool = False
    type: Literal["float", "int"] = "float"

    @model_validator(mode="after")
    def _check(self) -> "Range":
        low, high, step = self.low, self.high, self.step
        if not low < high:
            raise ValueError(f"low < high must hold, but got low={low:g}, high={high:g}")
        if self.log and low <= 0:
            raise ValueError(f"a log range needs low > 0, but got low={low:g}")
        if self.type == "int" and not (low.is_integer() and high.is_integer()):
            raise ValueError(
                f"an int range needs whole numbers, but got low={low:g}, high={high:g}"
            )
        if step is None:
            return self
        if self.type == "int" and not step.is_integer():
            raise ValueError(f"an int range needs a whole step, but got step={step:g}")
        if not self.contains(high):
            raise ValueError(
                "high must be a whole number of steps from low, but got "
                f"low={low:g}, high={high:g}, step={step:g}; the last step is at "
                f"{self._at(math.floor((high - low) / step)):g}"
            )
        if self.log and low <= step / 2:
            raise ValueError(
                f"a log range needs low > step / 2, but got low={low:g}, step={step:g}"
            )
        return self

    @property
    def _grid(self) -> float | None:
        """The distance between two values; None if there are values everywhere."""
        return 1.0 if self.step is None and self.type == "int" else self.step

    def distribution(self) -> BaseDistribution:
        """The distribution that Optuna samples from; :meth:`value_of` rounds its samples.

        Whole numbers and steps are sampled as floats, from half a step below the range to half a
        step above it, so that both ends are as likely as the values between. With an
        ``IntDistribution`` TPE takes eight times as long.
        """
        margin = (self._grid or 0.0) / 2
        return FloatDistribution(self.low - margin, self.high + margin, log=self.log)

    def value_of(self, sample: float) -> float:
        """The value for a sample: with steps, or whole numbers, the nearest one."""
        if self._grid is None:
            return sample
        return self._at(round((min(max(sample, self.low), self.high) - self.low) / self._grid))

    def _at(self, steps: int) -> float:
        """The value at so many steps from low; 0.3, not 0.30000000000000004."""
        value = self.low + steps * (self._grid or 0.0)
        return int(value) if self.type == "int" else float(f"{value:.12g}")

    def contains(self, value: Scalar) -> bool:
        """Whether a value is one of the range; if that has steps, one at a step."""
        if isinstance(value, str):
            return False
        if self.step is None:
            return self.low <= value <= self.high
        # An end that is computed may lie beside the value that stands for it, as 13 * 0.001 does.
        return math.isclose(self.value_of(value), value, rel_tol=0, abs_tol=1e-9 * self.step)

    def described(self) -> str:
        """What lies in the range, in words."""
        steps = f" in steps of {self.step:g}" if self.step else ""
        return f"{self.low:g} to {self.high:g}{steps}"

    def examples(self) -> list[Scalar]:
        """The two ends."""
        return [int(v) if self.type == "int" else v for v in (self.low, self.high)]

    def between(self) -> float:
        """A value between the ends; no whole number, unless all values are."""
        return self.value_of(self.low + 0.37 * (self.high - self.low))

    def values(self) -> Iterator[Scalar]:
        """All values of a range with steps, ascending; they may be too many for a list.

        Raises:
            ValueError: it has no step.
        """
        if self.step is None:
            raise ValueError("a range without a step has no grid: give it a step, or choices")
        steps = round((self.high - self.low) / self.step)
        return (self._at(k) for k in range(steps + 1))


class Choices(Condition):
    """One of a few values."""

    choices: list[Scalar] = Field(min_length=1)

    def distribution(self) -> BaseDistribution:
        """The distribution that Optuna samples from."""
        return CategoricalDistribution(self.choices)

    def value_of(self, sample: Scalar) -> Scalar:
        """The choice itself."""
        return sample

    def contains(self, value: Scalar) -> bool:
        """Whether a value is one of the choices."""
        return value in self.choices

    def described(self) -> str:
        """The choices, in words."""
        return ", ".join(map(str, self.choices))

    def examples(self) -> list[Scalar]:
        """All choices: each has to be valid."""
        return list(self.choices)

    def values(self) -> Iterator[Scalar]:
        """All choices."""
        return iter(self.choices)


Dimension = Range | Choices
