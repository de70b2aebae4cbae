"""The tables of a comparison on recorded curves."""

import math
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pandas as pd

from benchmarks.replay.sides import IN_ORDER, OURS
from benchmarks.replay.simulator import Outcome
from benchmarks.replay.statistics import Estimate, median, ratio_of_medians

Needs = tuple[list[float], list[float]]
"""Seconds and million tokens of some searches; infinite where T was not solved."""

REGRET_AT = (60, 120, 300, 600)
"""Simulated seconds at which the regret is printed."""


def efficiency_table(rows: pd.DataFrame) -> str:
    """Time and tokens to solve T, and their ratios to this project's search.

    Args:
        rows: those of search_efficiency.csv.
    """
    lines = []
    needs = {str(m): dict(_sides(group)) for m, group in rows.groupby("model", sort=False)}
    for model, sides in needs.items():
        ours = sides.get(OURS)
        lines += [
            f"{model}: searches until their first trial has solved T; medians (95 % interval), "
            "and ratios to ours",
            f"{'':36} searches solved  {'seconds':18} {'ratio':17} {'million tokens':18} ratio",
        ]
        for side, needed in sides.items():
            solved = np.isfinite(needed[0]).sum()
            line = f"{side:36} {len(needed[0]):8} {solved:6}  "
            for values, own, digits in zip(needed, ours or (None, None), (0, 1), strict=True):
                line += f"{_estimate(median(values), digits):18} "
                ratio = own is not None and side != OURS
                line += f"{_estimate(ratio_of_medians((values, own)), 2) if ratio else '':17} "
            lines.append(line.rstrip())
        lines.append("")
    return "\n".join(lines + _all_models(list(needs.values())))


def _all_models(needs: Sequence[dict[str, Needs]]) -> list[str]:
    """The ratios to this project's search over all models, if there are several.

    Args:
        needs: what the searches of each side needed, of each model.
    """
    if len(needs) == 1 or not all(OURS in of_model for of_model in needs):
        return []
    lines = [
        f"all {len(needs)} models: geometric mean of the ratios",
        f"{'':36} {'seconds':18} million tokens",
    ]
    for side in needs[0]:
        if side != OURS and all(side in of_model for of_model in needs):
            seconds, tokens = (
                ratio_of_medians(*((of_model[side][i], of_model[OURS][i]) for of_model in needs))
                for i in range(2)
            )
            lines.append(f"{side:36} {_estimate(seconds, 2):18} {_estimate(tokens, 2)}")
    return [*lines, ""]


def _sides(rows: pd.DataFrame) -> Iterator[tuple[str, Needs]]:
    """The sides in a model's rows, and what each search needed."""
    for side, group in rows.groupby("side", sort=False):
        yield str(side), to_solve(group)
        if side == IN_ORDER:
            yield "    and that counted as well", to_solve(group, all_T=True)


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


def _estimate(estimate: Estimate, digits: int) -> str:
    """Infinite where too many of the searches did not end."""
    value, low, high = ("never" if math.isinf(x) else f"{x:.{digits}f}" for x in estimate)
    return f"{value} ({low}..{high})"


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
