"""The learning curves of a study's trials, as numbers that the page draws as SVG paths.

A path has the numbers of progress.csv as its coordinates: thousand tokens to the right, accuracy
in units of 1/10,000 upwards. The page scales it, and its script reads them back for tool tips.
"""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from analysis.tables.records import records

POINTS = 40
"""The most evaluations of a trial that are drawn: every one, or every second, ..."""


class Curve(NamedTuple):
    """One trial.

    Attributes:
        title: the trial, how it ended and its hyperparameters.
        status: one of :data:`studies.format.STATUSES`.
        best: whether it is the one in best.csv.
        path: evaluations as an SVG path.
    """

    title: str
    status: str
    best: bool
    path: str


class Panel(NamedTuple):
    """The trials at one T.

    Attributes:
        T: the length.
        tokens: thousand tokens at the right edge.
        ticks: (thousand tokens, label) of the horizontal axis.
        curves: the best trial last, so that it lies on top.
        left_out: trials with a curve that is not among them.
    """

    T: int
    tokens: int
    ticks: list[tuple[int, str]]
    curves: list[Curve]
    left_out: int

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of curves in the panel: best, then statuses."""
        best = ("best",) if any(curve.best for curve in self.curves) else ()
        return (*best, *dict.fromkeys(curve.status for curve in self.curves[::-1]))


def panels(trials: pd.DataFrame, progress: pd.DataFrame, limit: int) -> list[Panel]:
    """The panels of one study, by T.

    Args:
        trials: its trials, best first at each T, with the column ``best`` (bool).
        progress: its rows of progress.csv.
        limit: of curves in a panel; the first trials are drawn.
    """
    found = []
    evaluated = set(progress["trial_id"])
    shown = trials[trials["trial_id"].isin(evaluated)]
    for T in sorted(set(shown["T"])):
        of = shown[shown["T"] == T]
        chosen = of.head(limit)
        paths, tokens = _paths(progress[progress["trial_id"].isin(chosen["trial_id"])])
        curves = [
            Curve(_title(row), row["status"], row["best"], paths[row["trial_id"]])
            for row in records(chosen)
        ]
        found.append(Panel(int(T), tokens, _ticks(tokens), curves[::-1], len(of) - len(chosen)))
    return found


def _paths(progress: pd.DataFrame) -> tuple[dict[str, str], int]:
    """Trial -> its evaluations as an SVG path, and the largest thousand tokens of any."""
    rows = progress.sort_values(["trial_id", "tokens"])
    accuracy = rows["validation_accuracy"].to_numpy("float64", na_value=0.0)
    x = np.rint(rows["tokens"].to_numpy("float64", na_value=0.0) / 1e3).astype(int).tolist()
    y = np.rint(accuracy * 1e4).astype(int).tolist()
    names = rows["trial_id"].tolist()
    starts = [k for k, name in enumerate(names) if k == 0 or names[k - 1] != name]
    paths = {}
    for start, end in zip(starts, [*starts[1:], len(names)], strict=True):
        step = -(-(end - start) // POINTS)
        # From the end, so that the last evaluation is drawn.
        points = [f"{x[k]} {y[k]}" for k in range(end - 1, start - 1, -step)][::-1]
        # h0: one evaluation is a dot.
        paths[names[start]] = f"M{'L'.join(points)}" if len(points) > 1 else f"M{points[0]}h0"
    return paths, max([1, *x])


def _title(row: dict[str, Any]) -> str:
    return (
        f"{row['trial_id']}, {row['status'].replace('_', ' ')}: "
        f"learning rate {row['learning_rate']:.3g}, hidden size {row['hidden_size']}, "
        f"curriculum length {row['curriculum_length']} steps"
    )


def _ticks(tokens: int) -> list[tuple[int, str]]:
    """Up to six round numbers of million tokens up to ``tokens`` thousand."""
    rough = tokens / 6
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough)
    values = np.arange(0, tokens + 1e-9, step)
    return [(round(value), f"{value / 1e3:g}") for value in values]
