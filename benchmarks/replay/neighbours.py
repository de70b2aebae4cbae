"""How well a recorded training stands for one of a configuration nearby.

A replay gives a trial a training of the nearest configuration. What the trial would really have
done is known for the configurations of the pool: each is left out in turn, and its trainings are
compared with those of its nearest neighbour. Two limits stand beside it. No neighbour can be nearer
than the configuration itself with another seed. And a replay that gave any configuration with the
same choices would know nothing of the others.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from benchmarks.markdown import NAMES, table
from benchmarks.replay.curves import Configuration, Curve, Pool, solves

CHANCE = 0.1
"""Ladder accuracy of a training that diverged in its first iteration."""


class Agreement(NamedTuple):
    """How well other trainings foretell one.

    Attributes:
        error: mean difference of the best ladder accuracy.
        solved: of the trainings that solve T, the mean share of the others that solve it.
    """

    error: float
    solved: float


def best_ladder(curve: Curve) -> float:
    """The best ladder accuracy of a training."""
    values = [evaluation.ladder_accuracy for evaluation in curve]
    return max((value for value in values if not np.isnan(value)), default=CHANCE)


Others = Iterator[tuple[Curve, Sequence[Curve]]]
"""Trainings, each with those that are to foretell it."""


def of_neighbour(pool: Pool) -> Others:
    """Each training, with those of the nearest other configuration."""
    for place, configuration in enumerate(pool.configurations):
        order = [other for other in _nearest(pool, configuration) if other != place]
        for curve in configuration.curves if order else ():
            yield curve, pool.configurations[order[0]].curves


def of_other_seed(pool: Pool) -> Others:
    """Each training, with the others of its configuration."""
    for configuration in pool.configurations:
        for curve in configuration.curves:
            others = [other for other in configuration.curves if other is not curve]
            if others:
                yield curve, others


def of_any(pool: Pool) -> Others:
    """Each training, with those of all other configurations that have the same choices."""
    for place, configuration in enumerate(pool.configurations):
        others = [
            curve for other in pool.groups[configuration.choices][0] if other != place
            for curve in pool.configurations[other].curves
        ]  # fmt: skip
        for curve in configuration.curves if others else ():
            yield curve, others


def _nearest(pool: Pool, configuration: Configuration) -> list[int]:
    """Places of the configurations with the same choices, the nearest first."""
    places, points = pool.groups[configuration.choices]
    distances = ((points - configuration.point) ** 2).sum(axis=1)
    return places[distances.argsort(kind="stable")].tolist()


def agreement(others: Others) -> Agreement:
    """How well the others foretell a training, over all trainings."""
    errors, solved = [], []
    for curve, group in others:
        errors.append(np.mean([abs(best_ladder(curve) - best_ladder(other)) for other in group]))
        if solves(curve):
            solved.append(np.mean([solves(other) for other in group]))
    return Agreement(
        float(np.mean(errors)) if errors else np.nan, float(np.mean(solved)) if solved else np.nan
    )


WAYS = {
    "nearest configuration": of_neighbour,
    "another seed": of_other_seed,
    "any configuration": of_any,
}
"""What foretells a training -> the trainings with those that do."""


def percent(share: float) -> str:
    """Nothing where there is no number: where no training solves T."""
    return "" if np.isnan(share) else f"{100 * share:.0f} %"


def neighbour_table(pools: Mapping[str, Pool]) -> str:
    """The pools, and how well they stand for what was not recorded, as a Markdown table.

    Args:
        pools: by model.
    """
    header = ["", "configurations", "trainings", "that solve T"]
    header += [f"error of the ladder accuracy: {way}" for way in WAYS]
    header += [f"of those that solve T, solved too: {way}" for way in WAYS]
    lines = []
    for model, pool in pools.items():
        curves = [curve for configuration in pool.configurations for curve in configuration.curves]
        found = [agreement(way(pool)) for way in WAYS.values()]
        lines.append([
            NAMES.get(model, model), str(len(pool)), str(len(curves)),
            str(sum(map(solves, curves))),
            *(f"{one.error:.3f}" for one in found), *(percent(one.solved) for one in found),
        ])  # fmt: skip
    return table(header, lines)
