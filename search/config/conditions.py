"""Which hyperparameters are searched together: a ``when`` makes one depend on others."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from itertools import islice
from typing import Any

from search.config.dimensions import Choices, Dimension
from search.errors import unknown

MAX_GRID = 10_000
"""Most points of a grid."""


class SearchSpace:
    """The searched hyperparameters of a study, and the conditions on them.

    One whose condition does not hold is not searched: it has its default, and neither Optuna nor a
    table sees a value of it. Nor are those searched that depend on it.

    Attributes:
        dimensions: by name, each after those on which it depends.
        conditional: whether one has a condition.

    Args:
        dimensions: by name, in any order.
        fixed: the values of hyperparameters that are not searched.

    Raises:
        ValueError: conditions depend on each other in a circle.
    """

    def __init__(self, dimensions: Mapping[str, Dimension], fixed: Mapping[str, Any]):
        self.dimensions = {name: dimensions[name] for name in parents_first(dimensions)}
        self.conditional = any(dimension.when for dimension in dimensions.values())
        self._fixed = fixed

    def is_searched(self, name: str, values: Mapping[str, Any]) -> bool:
        """Whether the conditions of a hyperparameter hold.

        Args:
            values: of the hyperparameters on which it depends.
        """
        known = {**self._fixed, **values}
        return all(
            known.get(other) in allowed
            and (other not in self.dimensions or self.is_searched(other, values))
            for other, allowed in self.dimensions[name].when.items()
        )

    def searched(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Of the values of a training, those that were searched."""
        return {
            name: values[name] for name in self.dimensions
            if name in values and self.is_searched(name, values)
        }  # fmt: skip

    def without_unsearched(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values of a training without those of hyperparameters not searched in it."""
        if not self.conditional:
            return dict(values)
        searched = self.searched(values)
        return {k: v for k, v in values.items() if k not in self.dimensions or k in searched}

    def points(self) -> Iterator[dict[str, Any]]:
        """All points of the grid; of each dimension the values.

        Raises:
            ValueError: a range has no step; the message begins with ``.NAME``.
        """
        return self._points_from({})

    def _points_from(self, values: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The points of the grid with these values of the first dimensions."""
        for name in list(self.dimensions)[len(values) :]:
            if not self.is_searched(name, values):
                values = {**values, name: None}
                continue
            try:
                grid = self.dimensions[name].values()
            except ValueError as error:
                raise ValueError(f".{name}: {error}") from None
            for value in grid:
                yield from self._points_from({**values, name: value})
            return
        yield {name: value for name, value in values.items() if value is not None}

    @cached_property
    def grid_size(self) -> int:
        """The number of points of the grid; MAX_GRID + 1 for all that is more."""
        return sum(1 for _ in islice(self.points(), MAX_GRID + 1))

    def fulfilled(self, name: str) -> dict[str, Any]:
        """Values of other hyperparameters with which this one is searched."""
        values: dict[str, Any] = {}
        if name in self.dimensions:
            for other, allowed in self.dimensions[name].when.items():
                values |= {**self.fulfilled(other), other: allowed[0]}
        return values


def parents_first(dimensions: Mapping[str, Dimension]) -> list[str]:
    """The names in an order in which each comes after those on which it depends.

    Raises:
        ValueError: there is none.
    """
    order: list[str] = []
    left = list(dimensions)
    while left:
        free = [name for name in left if not set(dimensions[name].when) & set(left)]
        if not free:
            raise ValueError(
                f".{left[0]}: when: {', '.join(left)} depend on each other in a circle"
            )
        order += free
        left = [name for name in left if name not in free]
    return order


def check_conditions(dimensions: Mapping[str, Dimension], known: Iterable[str]) -> None:
    """Check that every condition can hold.

    Args:
        known: names of all hyperparameters of the architecture and the training.

    Raises:
        ValueError: one cannot; the message begins with ``.NAME: when:``.
    """
    for name, dimension in dimensions.items():
        for other, allowed in dimension.when.items():
            where = f".{name}: when: "
            if other not in set(known):
                raise ValueError(where + unknown("hyperparameter", other, known))
            if not allowed:
                raise ValueError(f"{where}{other} needs at least one value")
            parent = dimensions.get(other)
            if parent is None:
                continue
            if not isinstance(parent, Choices) and parent.type == "float" and parent.step is None:
                raise ValueError(f"{where}{other} is a range without a step; compare with choices")
            for value in allowed:
                if not parent.contains(value):
                    raise ValueError(f"{where}{other} is never {value!r} in this space")
    parents_first(dimensions)


def check_grid(space: SearchSpace) -> None:
    """Check that each point of the space can be tried.

    Raises:
        ValueError: a range has no step, or there are too many points.
    """
    try:
        size = space.grid_size
    except ValueError as error:
        raise ValueError(f"space{error}; search.sampler is grid") from None
    if size > MAX_GRID:
        raise ValueError(f"space: the grid has over {MAX_GRID:,} points; search.sampler is grid")
