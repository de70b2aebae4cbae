"""The tables of docs/methods.md of real races that were run before: medians that are not paired.

This module, and the files that it reads, go when benchmarks.evidence has its real races.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import cache, partial
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.estimates import RESAMPLES, Estimate
from benchmarks.markdown import interval, table

FOLDER = Path(__file__).parent

OURS, RANDOM = "ours", "random search"
IN_ORDER = "ours, after the T before"
COUNTED = "ours, with the T before"
Needs = tuple[list[float], list[float]]
"""Seconds and million tokens of some searches; infinite where T was not solved."""


@cache
def rows_of(*names: str) -> pd.DataFrame:
    """The rows of these files of this folder, one file after the other."""
    return pd.concat([pd.read_csv(FOLDER / f"{name}.csv") for name in names], ignore_index=True)


def median(values: Sequence[float]) -> Estimate:
    """The median; an observed value, so that infinite ones do no harm."""
    return _bootstrap([values], lambda value: value)


def ratio_of_medians(above: Sequence[float], below: Sequence[float]) -> Estimate:
    """The ratio of the medians of two samples."""
    return _bootstrap([above, below], lambda a, b: np.exp(np.log(a) - np.log(b)))


def _bootstrap(samples: Sequence[Sequence[float]], combine: Callable[..., np.ndarray]) -> Estimate:
    """Of what ``combine`` makes of the medians of independent samples."""
    generator = np.random.default_rng(0)
    values = [np.asarray(sample) for sample in samples]
    drawn = [v[generator.integers(len(v), size=(RESAMPLES, len(v)))] for v in values]
    with np.errstate(invalid="ignore"):
        value = combine(*(_quantile(v, 0.5) for v in values))
        estimates = combine(*(_quantile(v, 0.5) for v in drawn))
    low, high = _quantile(estimates[~np.isnan(estimates)], (0.025, 0.975))
    return Estimate(float(value), float(low), float(high))


def _quantile(values: np.ndarray, share: float | tuple[float, ...]) -> np.ndarray:
    if not values.size:
        return np.full(np.shape(share), np.nan)
    return np.quantile(values, share, axis=-1, method="inverted_cdf")


def side_table(rows: pd.DataFrame) -> str:
    """One model: medians with 95 % intervals, and ratios to this project's search.

    Where this project's search has more seeds than the others, a second ratio of time takes only
    the seeds of the other side.
    """
    ours = rows[rows["side"] == OURS]
    fewer = has_more_seeds(ours, rows)
    header = ["", "searches that solve", "seconds [95 %]", "ratio to ours"]
    header += ["on shared seeds"] * fewer + ["million tokens [95 %]", "ratio to ours"]
    lines = []
    for side, needed in side_needs(rows):
        solved, searches = int(np.isfinite(needed[0]).sum()), len(needed[0])
        line = [side, str(searches) if solved == searches else f"{solved} of {searches}"]
        for index, values in enumerate(needed):
            line += [interval(median(values), 0), _ratio(values, to_solve(ours)[index], side)]
            if fewer and index == 0:
                seeds = rows[rows["side"] == side]["seed"]
                shared = ours[ours["seed"].isin(seeds)]
                line.append(_ratio(values, to_solve(shared)[0], side))
        lines.append(line)
    return table(header, lines)


def has_more_seeds(ours: pd.DataFrame, rows: pd.DataFrame) -> bool:
    """Whether this project's search had all seeds of the other sides, and more."""
    seeds = set(ours["seed"])
    others = [set(group["seed"]) for _, group in rows.groupby("side")]
    return all(other <= seeds for other in others) and any(other < seeds for other in others)


def _ratio(values: list[float], ours: list[float], side: str) -> str:
    """The ratio to this project's search; nothing for itself, or where it was not run."""
    return interval(ratio_of_medians(values, ours), 2) if ours and side != OURS else ""


def side_needs(rows: pd.DataFrame) -> Iterator[tuple[str, Needs]]:
    """The sides in a model's rows, and what each search needed."""
    for side, group in rows.groupby("side", sort=False):
        yield str(side), to_solve(group)
        if side == IN_ORDER:
            yield COUNTED, to_solve(group, all_T=True)


def to_solve(rows: pd.DataFrame, all_T: bool = False) -> Needs:
    """Seconds and million tokens of searches until T was solved; infinite where it was not.

    Args:
        all_T: count the searches at smaller T that they began from.
    """
    seconds, tokens = rows["seconds"], rows["tokens"] / 1e6
    if all_T:
        seconds, tokens = seconds + rows["seconds_before"], tokens + rows["tokens_before"] / 1e6
    return (
        seconds.where(rows["solved"], math.inf).tolist(),
        tokens.where(rows["solved"], math.inf).tolist(),
    )


def real_ratios_of_random() -> str:
    """What random search takes, divided by what ours takes: all searches that trained for real."""
    real = dict(side_needs(rows_of("search_efficiency_real", "warm_start_lstm_real")))
    lines = [
        [f"{side} ({len(real[side][0])} searches)"]
        + [interval(ratio_of_medians(real[RANDOM][i], real[side][i]), 2) for i in range(2)]
        for side in (OURS, IN_ORDER, COUNTED)
    ]
    return table(["", "seconds", "million tokens"], lines)


def sides_of(name: str) -> str:
    """The sides of one file beside each other."""
    return side_table(rows_of(name))


TABLES: Sequence[Callable[[], str]] = (
    partial(sides_of, "search_efficiency_real"),
    partial(sides_of, "warm_start_lstm_real"),
    real_ratios_of_random,
)
"""Those of docs/methods.md, in their order."""
