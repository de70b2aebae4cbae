"""Statistics over the seeds of one configuration, for the console and for the report."""

import statistics
from collections.abc import Sequence
from typing import NamedTuple

from scipy.special import betaincinv

BEST_OF_MANY = (
    "The best of many trials owes a part of its score to a lucky seed, so it is biased upwards. "
    "The share of fresh seeds that solve T is what to expect of another training."
)


class SeedSummary(NamedTuple):
    """Trainings of one configuration that differ only in their seed.

    Attributes:
        seeds: how many there are.
        solved: how many of them solved T.
        solve_rate: the share that solves T.
        solve_rate_low, solve_rate_high: its exact 95 % interval.
        median, lowest, highest: of the test accuracies. They have no interval: accuracies of seeds
            that either solve T or collapse are far from normal, and five are too few for any other.
    """

    seeds: int
    solved: int
    solve_rate: float
    solve_rate_low: float
    solve_rate_high: float
    median: float
    lowest: float
    highest: float


def summarize_seeds(accuracies: Sequence[float], solved: Sequence[bool]) -> SeedSummary:
    """Sum up at least one seed."""
    return SeedSummary(
        len(accuracies),
        sum(solved),
        sum(solved) / len(solved),
        *clopper_pearson(sum(solved), len(solved)),
        statistics.median(accuracies),
        min(accuracies),
        max(accuracies),
    )


def clopper_pearson(successes: int, n: int) -> tuple[float, float]:
    """Exact 95 % interval of a probability after so many successes in n.

    Source: Clopper & Pearson, "The Use of Confidence or Fiducial Limits Illustrated in the Case
    of the Binomial", 1934.
    """
    low = float(betaincinv(successes, n - successes + 1, 0.025)) if successes else 0.0
    high = float(betaincinv(successes + 1, n - successes, 0.975)) if successes < n else 1.0
    return low, high
