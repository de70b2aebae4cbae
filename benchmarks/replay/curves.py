"""Recorded learning curves: what a trial would have reported."""

import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from copytask import SOLVED_ACCURACY
from search.config.dimensions import Choices, Dimension, Range

TABLE = Path(__file__).parent.parent / "learning_curves.csv.gz"


class Evaluation(NamedTuple):
    """What a trial reports after an iteration: the part of :class:`copytask.Metrics` in the table.

    ``seconds`` is the time of one core since the trial began. A trial that diverges ends with an
    evaluation whose accuracies are NaN.
    """

    iteration: int
    tokens: int
    seconds: float
    validation_accuracy: float
    ladder_accuracy: float
    tokens_to_solve: int | None
    seconds_to_solve: float | None


Curve = Sequence[Evaluation]


class Curves:
    """The curves of one model at one T.

    Args:
        table: columns model, T, configuration, the hyperparameters, iteration, tokens, seconds,
            validation_accuracy and ladder_accuracy; one row an evaluation.
        dimensions: the space that is searched.

    Raises:
        ValueError: the table has no curve of this model at this T in this space.
    """

    def __init__(
        self, table: pd.DataFrame, model: str, T: int, dimensions: Mapping[str, Dimension]
    ):
        self._ranges = {n: d for n, d in dimensions.items() if isinstance(d, Range)}
        choices = {n: d for n, d in dimensions.items() if isinstance(d, Choices)}
        self._choices = list(choices)
        rows = table[(table["model"] == model) & (table["T"] == T)]
        points: dict[tuple[Any, ...], list[list[float]]] = {}
        self._curves: dict[tuple[Any, ...], list[Curve]] = {}
        for _, group in rows.groupby("configuration"):
            first = group.iloc[0]
            if all(d.contains(first[name]) for name, d in dimensions.items()):
                key = tuple(first[name] for name in choices)
                points.setdefault(key, []).append(self._point(first))
                self._curves.setdefault(key, []).append(as_curve(group))
        self._points = {key: np.array(group) for key, group in points.items()}
        missing = math.prod(len(d.choices) for d in choices.values()) - len(self._points)
        if missing:
            raise ValueError(
                f"no curves of {model} at T = {T} for {missing} of the combinations of "
                f"{', '.join(choices) or 'the space'}"
            )

    def __len__(self) -> int:
        return len(self.all)

    @property
    def all(self) -> list[Curve]:
        """Every curve."""
        return [curve for curves in self._curves.values() for curve in curves]

    def nearest(self, hyperparameters: Mapping[str, Any], used: set[int]) -> Curve:
        """The curve of the nearest configuration: the same choices, then by distance in the cube.

        In the cube each range has length 1, on a log scale if it is one. A search gets each curve
        once, until it has had all with these choices: a second trial of about the same would not
        end the same, but would be a little different, as the next nearest one is.

        Args:
            used: curves that this search has had; the one that it gets now is added.
        """
        key = tuple(hyperparameters[name] for name in self._choices)
        distances = ((self._points[key] - self._point(hyperparameters)) ** 2).sum(axis=1)
        curves = self._curves[key]
        if all(id(curve) in used for curve in curves):
            used.difference_update(map(id, curves))
        curve = next(curves[i] for i in distances.argsort() if id(curves[i]) not in used)
        used.add(id(curve))
        return curve

    def _point(self, values: Mapping[str, Any]) -> list[float]:
        return [_position(range_, values[name]) for name, range_ in self._ranges.items()]


def _position(range_: Range, value: float) -> float:
    """Where in its range a value lies, from 0 to 1."""
    low, high = range_.low, range_.high
    if range_.log:
        low, high, value = math.log(low), math.log(high), math.log(value)
    return (value - low) / (high - low)


def as_curve(rows: pd.DataFrame) -> Curve:
    """The evaluations of one trial, up to its end: T solved, budget spent or diverged."""
    curve: list[Evaluation] = []
    hit: tuple[int, float] | None = None  # tokens and seconds of the first of two in a row
    for row in rows.sort_values("iteration").itertuples():
        solved = hit if row.validation_accuracy >= SOLVED_ACCURACY else None
        curve.append(
            Evaluation(
                iteration=int(row.iteration),
                tokens=int(row.tokens),
                seconds=float(row.seconds),
                validation_accuracy=float(row.validation_accuracy),
                ladder_accuracy=float(row.ladder_accuracy),
                tokens_to_solve=solved[0] if solved else None,
                seconds_to_solve=solved[1] if solved else None,
            )
        )
        if solved or math.isnan(row.validation_accuracy):
            break
        above = row.validation_accuracy >= SOLVED_ACCURACY
        hit = (curve[-1].tokens, curve[-1].seconds) if above else None
    return curve


def read_table(path: Path) -> pd.DataFrame:
    """The table of curves, which ``benchmarks/learning_curves.py`` makes.

    Exits with one line if it cannot be read.
    """
    try:
        return pd.read_csv(path)
    except (OSError, ValueError) as error:
        sys.exit(f"error: cannot read {path}: {error}; benchmarks/learning_curves.py makes it")
