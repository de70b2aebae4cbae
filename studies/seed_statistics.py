"""Statistics over the seeds of one configuration, for the console and for the report."""

import math
import statistics
from collections.abc import Sequence
from typing import NamedTuple

from scipy.special import betaincinv, stdtrit

from studies.format import CHANCE_ACCURACY

BEST_OF_MANY = (
    "The best of many trials owes a part of its score to a lucky seed, so it is biased upwards. "
    "The mean over fresh seeds is the number to expect."
)


class SeedSummary(NamedTuple):
    """Trainings of one configuration that differ only in their seed.

    Attributes:
        seeds: how many there are.
        solved: how many of them solved T.
        solved_low, solved_high: 95 % interval of the share that solves T.
        mean: of the test accuracy.
        mean_low, mean_high: 95 % interval of the mean.
    """

    seeds: int
    solved: int
    solved_low: float
    solved_high: float
    mean: float
    mean_low: float
    mean_high: float


def summarize_seeds(accuracies: Sequence[float | None], solved: Sequence[bool]) -> SeedSummary:
    """Sum up at least one seed; None is the accuracy of a seed without a model: chance."""
    values = [CHANCE_ACCURACY if accuracy is None else accuracy for accuracy in accuracies]
    return SeedSummary(
        len(values),
        sum(solved),
        *clopper_pearson(sum(solved), len(solved)),
        statistics.fmean(values),
        *student_interval(values),
    )


def student_interval(values: Sequence[float]) -> tuple[float, float]:
    """95 % interval of the mean of values in [0, 1], clipped to there; one value tells nothing.

    Source: Student, "The Probable Error of a Mean", 1908. It takes the values for normal, which
    seeds that either solve T or stay at chance are not: read it beside the number of solves.
    """
    n = len(values)
    if n < 2:
        return 0.0, 1.0
    half = float(stdtrit(n - 1, 0.975)) * statistics.stdev(values) / math.sqrt(n)
    mean = statistics.fmean(values)
    return max(0.0, mean - half), min(1.0, mean + half)


def clopper_pearson(successes: int, n: int) -> tuple[float, float]:
    """Exact 95 % interval of a probability after so many successes in n.

    Source: Clopper & Pearson, "The Use of Confidence or Fiducial Limits Illustrated in the Case
    of the Binomial", 1934.
    """
    low = float(betaincinv(successes, n - successes + 1, 0.025)) if successes else 0.0
    high = float(betaincinv(successes + 1, n - successes, 0.975)) if successes < n else 1.0
    return low, high
