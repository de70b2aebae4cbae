"""The tables of docs/methods.md that were measured before: medians of searches that are not paired.

The pool had up to 100 configurations with one training each, and the intervals count the luck of
the searches alone. This module, and the files that it reads, go when benchmarks.evidence has its
measurements.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, partial
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.estimates import RESAMPLES, Estimate
from benchmarks.markdown import NAMES, interval, table

FOLDER = Path(__file__).parent

OURS, RANDOM = "ours", "random search"
IN_ORDER = "ours, after the T before"
COUNTED = "ours, with the T before"
CHOICES = ("tpe, asha", "random, asha", "gp, asha", "cmaes, asha", "tpe, hyperband")

Needs = tuple[list[float], list[float]]
"""Seconds and million tokens of some searches; infinite where T was not solved."""

ModelNeeds = Mapping[str, Mapping[str, Needs]]
"""Model -> side -> what its searches needed."""

UNITS = ("seconds", "million tokens")
"""Of the two lists in :data:`Needs`."""


@cache
def rows_of(*names: str) -> pd.DataFrame:
    """The rows of these files of this folder, one file after the other."""
    return pd.concat([pd.read_csv(FOLDER / f"{name}.csv") for name in names], ignore_index=True)


def median(values: Sequence[float]) -> Estimate:
    """The median; an observed value, so that infinite ones do no harm."""
    return _bootstrap([values], lambda value: value)


def ratio_of_medians(*pairs: tuple[Sequence[float], Sequence[float]]) -> Estimate:
    """The ratio of the medians of two samples; of several pairs, the geometric mean of ratios."""

    def combine(*medians: np.ndarray) -> np.ndarray:
        logarithms = [
            np.log(a) - np.log(b) for a, b in zip(medians[::2], medians[1::2], strict=True)
        ]
        return np.exp(np.mean(logarithms, axis=0))

    return _bootstrap([sample for pair in pairs for sample in pair], combine)


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
    return interval(ratio_of_medians((values, ours)), 2) if ours and side != OURS else ""


def medians_of(needs: ModelNeeds, unit: str) -> str:
    """Medians with 95 % intervals: a row a side, a column a model."""
    index = UNITS.index(unit)
    return _by_model(
        needs, sides_in(needs), lambda side, *models: median(needs[models[0]][side][index]), 0
    )


def ratios_to_ours(needs: ModelNeeds, unit: str) -> str:
    """What each side takes, divided by what ours takes, with the geometric mean of all models."""
    sides = [side for side in sides_in(needs) if side != OURS]
    return _ratios(needs, unit, sides, lambda side: (side, OURS))


def ratios_of_random(needs: ModelNeeds, unit: str) -> str:
    """What random search takes, divided by what each other side takes."""
    sides = [side for side in sides_in(needs) if side != RANDOM]
    return _ratios(needs, unit, sides, lambda side: (RANDOM, side))


def _ratios(
    needs: ModelNeeds, unit: str, sides: Sequence[str], pair: Callable[[str], tuple[str, str]]
) -> str:
    """A row a side, a column a model, and one of all models."""
    index = UNITS.index(unit)

    def cell(side: str, *models: str) -> Estimate:
        above, below = pair(side)
        return ratio_of_medians(*((needs[m][above][index], needs[m][below][index]) for m in models))

    return _by_model(needs, sides, cell, 2, over_all=True)


def _by_model(
    needs: ModelNeeds,
    sides: Sequence[str],
    cell: Callable[..., Estimate],
    digits: int,
    over_all: bool = False,
) -> str:
    """A row a side, a column a model; ``cell`` takes a side and the models of its column."""
    columns = {NAMES.get(model, model): [model] for model in needs}
    if over_all:
        columns[f"all {len(needs)}"] = list(needs)
    rows = [
        [side, *(interval(cell(side, *models), digits) for models in columns.values())]
        for side in sides
    ]
    return table(["", *columns], rows)


def sides_in(needs: ModelNeeds) -> list[str]:
    """The sides that every model has, in the order of the first one."""
    first, *others = needs.values()
    return [side for side in first if all(side in of_model for of_model in others)]


def all_needs(rows: pd.DataFrame) -> dict[str, dict[str, Needs]]:
    """What the searches of each model and side needed."""
    return {str(m): dict(side_needs(group)) for m, group in rows.groupby("model", sort=False)}


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


def recorded_curves() -> str:
    """What the replay stood on: curves, how many solve T, and whether a search needed more."""
    curves = pd.read_csv(FOLDER / "learning_curves.csv.gz")
    curves = curves.sort_values(["model", "T", "configuration", "iteration"])
    above = curves["validation_accuracy"] >= 0.99
    keys = [curves[name] for name in ("model", "T", "configuration")]
    solved = curves[above & above.groupby(keys).shift(fill_value=False)]
    seconds = solved.groupby(["model", "T", "configuration"])["seconds"].first()
    counts = curves.groupby(["model", "T"])["configuration"].nunique()
    searches = rows_of("search_efficiency")
    lines = []
    for T in (500, 1000):
        for model, name in NAMES.items():
            own, n = seconds[model, T], counts[model, T]
            trials = searches[searches["model"] == model]["trials"]
            more = f"{(trials > n).sum()} of {len(trials)}" if T == 1000 else ""
            middle = f"{median(own.tolist()).value:.0f}"
            lines.append(
                [f"{name}, T = {T}", str(n), str(len(own)), f"{own.min():.0f}", middle, more]
            )
    header = [
        "", "curves", "that solve T", "seconds of the fastest", "median of those that solve",
        "searches with more trials than curves",
    ]  # fmt: skip
    return table(header, lines)


def replayed(unit: str) -> str:
    """The other sides of the comparison at T = 1000 alone, divided by ours."""
    return ratios_to_ours(all_needs(rows_of("search_efficiency")), unit)


def warm_starts(make: Callable[..., str], unit: str) -> str:
    """A table of the searches at T = 1000 with and without the one at T = 500 before."""
    return make(all_needs(rows_of(*(f"warm_start_{model}" for model in NAMES))), unit)


def real_ratios_of_random() -> str:
    """What random search takes, divided by what ours takes: all searches that trained for real."""
    real = all_needs(rows_of("search_efficiency_real", "warm_start_lstm_real"))["lstm"]
    lines = [
        [f"{side} ({len(real[side][0])} searches)"]
        + [interval(ratio_of_medians((real[RANDOM][i], real[side][i])), 2) for i in range(2)]
        for side in (OURS, IN_ORDER, COUNTED)
    ]
    return table(["", *UNITS], lines)


def choices() -> str:
    """Million tokens until T = 1000 was solved, for each sampler and scheduler of ours."""
    first, third = (all_needs(rows_of(f"choices_{name}")) for name in ("first", "third"))
    columns = {
        "GRU, first trial": first["gru"],
        "LSTM, first trial": first["lstm"],
        "LSTM, third trial": third["lstm"],
    }
    header, lines = [""], [[side] for side in CHOICES]
    for column, needs in columns.items():
        header += [column, "ratio"]
        for line in lines:
            tokens = needs[line[0]][1]
            ratio = interval(ratio_of_medians((tokens, needs[CHOICES[0]][1])), 2)
            line += [interval(median(tokens), 0), ratio if line[0] != CHOICES[0] else ""]
    return table(header, lines)


def sides_of(name: str) -> str:
    """The sides of one file beside each other."""
    return side_table(rows_of(name))


TABLES: Sequence[Callable[[], str]] = (
    partial(replayed, "seconds"),
    partial(replayed, "million tokens"),
    recorded_curves,
    partial(sides_of, "ablations_lstm"),
    partial(sides_of, "grace_lstm_500"),
    choices,
    partial(sides_of, "search_efficiency_real"),
    partial(warm_starts, medians_of, "seconds"),
    partial(warm_starts, medians_of, "million tokens"),
    partial(warm_starts, ratios_of_random, "seconds"),
    partial(warm_starts, ratios_of_random, "million tokens"),
    partial(sides_of, "warm_start_lstm_real"),
    real_ratios_of_random,
)
"""Those of docs/methods.md, in their order."""
