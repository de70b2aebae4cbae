"""The tables of a comparison on recorded curves."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from benchmarks.markdown import interval, table
from benchmarks.replay.sides import IN_ORDER, OURS, RANDOM
from benchmarks.replay.simulator import Outcome
from benchmarks.replay.statistics import Estimate, median, ratio_of_medians

NAMES = {
    "gru": "GRU", "lstm": "LSTM", "mgru": "multiplicative GRU", "mlstm": "multiplicative LSTM"
}  # fmt: skip
"""What docs/ call the models."""

Needs = tuple[list[float], list[float]]
"""Seconds and million tokens of some searches; infinite where T was not solved."""

ModelNeeds = Mapping[str, Mapping[str, Needs]]
"""Model -> side -> what its searches needed."""

UNITS = ("seconds", "million tokens")
"""Of the two lists in :data:`Needs`."""

COUNTED = "ours, with the T before"
"""The searches of :data:`IN_ORDER`, and what they took at smaller T as well."""

REGRET_AT = (60, 120, 300, 600)
"""Simulated seconds at which the regret is printed."""


def efficiency_table(rows: pd.DataFrame) -> str:
    """All tables of time and tokens to solve T: of each model, and of all beside one another.

    Args:
        rows: those of search_efficiency.csv.
    """
    tables = [
        f"{model}: searches until T was solved\n\n{side_table(group)}"
        for model, group in rows.groupby("model", sort=False)
    ]
    needs = all_needs(rows)
    for unit in UNITS:
        if len(needs) > 1 and all(OURS in sides for sides in needs.values()):
            title = f"How many times the {unit} of ours a side takes"
            tables.append(f"{title}\n\n{ratios_to_ours(needs, unit)}")
        if all({IN_ORDER, RANDOM} <= set(sides) for sides in needs.values()):
            title = f"How many times the {unit} of a side random search takes"
            tables.append(f"{title}\n\n{ratios_of_random(needs, unit)}")
    return "\n\n".join(tables) + "\n"


def side_table(rows: pd.DataFrame) -> str:
    """One model: medians with 95 % intervals, and ratios to this project's search.

    Where this project's search was run with more seeds than the others, a second ratio of time
    takes only the seeds of the other side. The number of searches is "20", or "19 of 20" where
    some did not solve T.
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
    return _ratios(
        needs, unit, [s for s in sides_in(needs) if s != OURS], lambda side: (side, OURS)
    )


def ratios_of_random(needs: ModelNeeds, unit: str) -> str:
    """What random search takes, divided by what each other side takes."""
    sides = [s for s in sides_in(needs) if s != RANDOM]
    return _ratios(needs, unit, sides, lambda side: (RANDOM, side))


def _ratios(
    needs: ModelNeeds, unit: str, sides: Sequence[str], pair: Callable[[str], tuple[str, str]]
) -> str:
    """A row a side, a column a model, and one of all models if there are several."""
    index = UNITS.index(unit)

    def cell(side: str, *models: str) -> Estimate:
        above, below = pair(side)
        return ratio_of_medians(*((needs[m][above][index], needs[m][below][index]) for m in models))

    return _by_model(needs, sides, cell, 2, over_all=len(needs) > 1)


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


def regret_table(results: Sequence[tuple[str, str, int, Outcome]]) -> str:
    """1 - the best accuracy so far, at T and on the ladder, at some times; medians."""
    times = np.array(REGRET_AT)
    columns = "".join(f"{f'{t} s':>14}" for t in REGRET_AT)
    lines = [f"median regret at T / on the ladder after {'':13}{columns}"]
    for (model, side), outcomes in grouped(results).items():
        at_T, ladder = (np.median(regret(outcomes, times, name), axis=0) for name in REGRETS)
        cells = "".join(f"{f'{a:.3f} / {b:.3f}':>14}" for a, b in zip(at_T, ladder, strict=True))
        lines.append(f"{f'{model}: {side}':54}{cells}")
    return "\n".join(lines)


REGRETS = ("validation_accuracy", "ladder_accuracy")


def grouped(
    results: Iterable[tuple[str, str, int, Outcome]],
) -> dict[tuple[str, str], list[Outcome]]:
    """The outcomes of each model and side."""
    groups: dict[tuple[str, str], list[Outcome]] = {}
    for model, side, _, outcome in results:
        groups.setdefault((model, side), []).append(outcome)
    return groups


def regret(outcomes: Sequence[Outcome], times: np.ndarray, accuracy: str) -> np.ndarray:
    """1 - the best accuracy that each search had seen by each time.

    Args:
        accuracy: a field of an improvement.

    Returns:
        shape (outcomes, times). After its end a search keeps its last value.
    """
    values = np.ones((len(outcomes), len(times)))
    for row, outcome in zip(values, outcomes, strict=True):
        seconds = [point.seconds for point in outcome.improvements]
        best = np.array([0.0, *(getattr(point, accuracy) for point in outcome.improvements)])
        row[:] = 1 - best[np.searchsorted(seconds, times, side="right")]
    return values
