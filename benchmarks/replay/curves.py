"""The pool: recorded trainings, which say what a trial would have reported."""

import math
import sys
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from search.config.dimensions import Choices, Dimension, Range

TABLE = Path(__file__).parent.parent / "pool.csv.gz"


class Evaluation(NamedTuple):
    """What a trial reports after an iteration: the part of :class:`copytask.Metrics` in the table.

    ``seconds`` is the time of one core since the trial began, see :func:`at_the_usual_speed`. A
    trial that diverges ends with an evaluation whose accuracies are NaN.
    """

    iteration: int
    tokens: int
    seconds: float
    validation_accuracy: float
    ladder_accuracy: float
    tokens_to_solve: int | None
    seconds_to_solve: float | None


Curve = Sequence[Evaluation]


class Configuration(NamedTuple):
    """A configuration of the pool.

    Attributes:
        number: in the table.
        choices: its values of the hyperparameters that have choices.
        point: its values of those that have a range, each from 0 to 1; shape (ranges,).
        curves: its trainings, which differ in their seeds.
    """

    number: int
    choices: tuple[Any, ...]
    point: np.ndarray
    curves: Sequence[Curve]

    @property
    def solved(self) -> int:
        """How many of its trainings solve T."""
        return sum(map(solves, self.curves))


class Recorded(NamedTuple):
    """What a trial gets.

    Attributes:
        curve: of a training of the nearest configuration.
        again: share of its other trainings that solve T; NaN if it has no other.
    """

    curve: Curve
    again: float


def solves(curve: Curve) -> bool:
    """Whether this training ends with T solved."""
    return curve[-1].tokens_to_solve is not None


def longer(evaluation: Evaluation, factor: float) -> Evaluation:
    """The evaluation of a training that takes ``factor`` times as long."""
    solved = evaluation.seconds_to_solve
    return evaluation._replace(
        seconds=factor * evaluation.seconds,
        seconds_to_solve=None if solved is None else factor * solved,
    )


class Pool:
    """The recorded trainings of one model at one T.

    Args:
        dimensions: the space that is searched.
        configurations: some may be there several times.
    """

    def __init__(
        self, dimensions: Mapping[str, Dimension], configurations: Sequence[Configuration]
    ):
        self._dimensions = dimensions
        self.configurations = configurations

    def __len__(self) -> int:
        return len(self.configurations)

    @classmethod
    def read(
        cls, table: pd.DataFrame, model: str, T: int, dimensions: Mapping[str, Dimension]
    ) -> "Pool":
        """Read the configurations of a table that are recorded with all its seeds.

        Args:
            table: columns model, T, configuration, seed, the hyperparameters, iteration, tokens,
                seconds, validation_accuracy, ladder_accuracy and tokens_to_solve; one row an
                evaluation.

        Raises:
            ValueError: the table has no training of this model at this T in this space.
        """
        pool = cls(dimensions, [])
        sizes = [name for name, d in dimensions.items() if isinstance(d, Choices)]
        rows = at_the_usual_speed(table, sizes)
        rows = rows[(rows["model"] == model) & (rows["T"] == T)]
        configurations = []
        for number, group in rows.groupby("configuration"):
            values = group.iloc[0].to_dict()
            if all(d.contains(values[name]) for name, d in dimensions.items()):
                curves = [as_curve(training) for _, training in group.groupby("seed")]
                choices, point = pool.place(values)
                configurations.append(Configuration(int(number), choices, point, curves))
        if not configurations:
            raise ValueError(f"no recorded training of {model} at T = {T} in this space")
        seeds = max(len(configuration.curves) for configuration in configurations)
        return cls(dimensions, [c for c in configurations if len(c.curves) == seeds])

    def place(self, values: Mapping[str, Any]) -> tuple[tuple[Any, ...], np.ndarray]:
        """The choices of a configuration, and its place in the cube of the ranges.

        In the cube each range has length 1, on a log scale if it is one.
        """
        choices, point = [], []
        for name, dimension in self._dimensions.items():
            if isinstance(dimension, Range):
                point.append(_position(dimension, values[name]))
            elif isinstance(dimension, Choices):
                choices.append(values[name])
        return tuple(choices), np.array(point)

    def take(self, numbers: Sequence[int]) -> "Pool":
        """The pool of these configurations; one that is named twice is there twice."""
        known = {configuration.number: configuration for configuration in self.configurations}
        return Pool(self._dimensions, [known[number] for number in numbers])

    def stretched(self, factor: float) -> "Pool":
        """The pool in which each training takes ``factor`` times as long."""
        return Pool(
            self._dimensions,
            [
                configuration._replace(
                    curves=[[longer(e, factor) for e in curve] for curve in configuration.curves]
                )
                for configuration in self.configurations
            ],
        )

    @cached_property
    def groups(self) -> dict[tuple[Any, ...], tuple[np.ndarray, np.ndarray]]:
        """Choices -> places of the configurations that have them, and their points."""
        places: dict[tuple[Any, ...], list[int]] = {}
        for place, configuration in enumerate(self.configurations):
            places.setdefault(configuration.choices, []).append(place)
        return {
            choices: (np.array(own), np.array([self.configurations[p].point for p in own]))
            for choices, own in places.items()
        }

    def nearest(self, values: Mapping[str, Any]) -> np.ndarray:
        """Places of the configurations with the same choices, the nearest in the cube first."""
        choices, point = self.place(values)
        places, points = self.groups.get(choices, (np.array([], dtype=int), np.empty((0, 0))))
        if not len(places):
            return places
        return places[((points - point) ** 2).sum(axis=1).argsort(kind="stable")]


class PoolSearch:
    """The pool as one search sees it: its trials get each configuration once.

    A second trial of about the same hyperparameters would not end the same, but would be a little
    different, as the next nearest configuration is. Which of the trainings of a configuration a
    trial gets is drawn; with the same seed of a search all sides get the same.

    Args:
        seed: of the search.
        repeat: give configurations again when there are no others. This is for questions about the
            work of a search; the time until T is solved means nothing then.
    """

    def __init__(self, pool: Pool, seed: int, repeat: bool = False):
        self._pool = pool
        self._repeat = repeat
        self._draws = np.random.default_rng(seed).integers(2**31, size=len(pool))
        self._used: set[int] = set()

    def nearest(self, hyperparameters: Mapping[str, Any]) -> Recorded | None:
        """A training of the nearest configuration; None if no other one has these choices."""
        places = self._pool.nearest(hyperparameters)
        left = [place for place in places if place not in self._used]
        if not left and self._repeat:
            self._used.difference_update(places.tolist())
            left = places.tolist()
        if not left:
            return None
        self._used.add(left[0])
        configuration = self._pool.configurations[left[0]]
        drawn = configuration.curves[self._draws[left[0]] % len(configuration.curves)]
        others = len(configuration.curves) - 1
        again = (configuration.solved - solves(drawn)) / others if others else math.nan
        return Recorded(drawn, again)


def _position(range_: Range, value: float) -> float:
    """Where in its range a value lies, from 0 to 1."""
    low, high = range_.low, range_.high
    if range_.log:
        low, high, value = math.log(low), math.log(high), math.log(value)
    return (value - low) / (high - low)


def at_the_usual_speed(table: pd.DataFrame, sizes: Sequence[str]) -> pd.DataFrame:
    """The rows of trainings, with the seconds that trainings of the same size usually take.

    A token takes the median over the trainings with the same model, T and values of ``sizes``, on
    the machine that recorded most. Each other machine counts as so many times as fast as that one
    as it was in the median over the sizes that both recorded. So neither other work on a machine
    changes the seconds of a training, nor which machine it was.
    """
    if "machine" not in table:
        table = table.assign(machine="")
    cell = ["model", "T", *sizes]
    ends = table.groupby([*cell, "machine", "configuration", "seed"])[["seconds", "tokens"]].max()
    of_a_token = ends["seconds"] / ends["tokens"]
    medians = of_a_token.groupby([*cell, "machine"]).median().unstack("machine")
    most = of_a_token.groupby("machine").count().idxmax()
    slower = medians.div(medians[most], axis=0).median()
    usual = (of_a_token / slower).groupby(cell).median().rename("of_a_token")
    return table.assign(seconds=table["tokens"] * table.join(usual, on=cell)["of_a_token"])


def as_curve(rows: pd.DataFrame) -> Curve:
    """The evaluations of one training."""
    rows = rows.sort_values("iteration")
    seconds = dict(zip(rows["tokens"], rows["seconds"], strict=True))
    return [
        Evaluation(
            iteration=int(row.iteration),
            tokens=int(row.tokens),
            seconds=float(row.seconds),
            validation_accuracy=float(row.validation_accuracy),
            ladder_accuracy=float(row.ladder_accuracy),
            tokens_to_solve=None if math.isnan(row.tokens_to_solve) else int(row.tokens_to_solve),
            seconds_to_solve=seconds.get(row.tokens_to_solve),
        )
        for row in rows.itertuples()
    ]


def read_table(path: Path) -> pd.DataFrame:
    """The table of recorded trainings, which ``benchmarks/learning_curves.py`` makes.

    Exits with one line if it cannot be read.
    """
    try:
        return pd.read_csv(path)
    except (OSError, ValueError) as error:
        sys.exit(f"error: cannot read {path}: {error}; benchmarks/learning_curves.py makes it")
