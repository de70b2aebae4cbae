"""Intervals, effect sizes and exact tests over seeds: pure functions of numbers.

A configuration trained again with fresh seeds gives independent trainings: each solves its T after
so many tokens, or does not. That two models share a seed number means equal payloads, not similar
weights, so they are compared unpaired.

Accuracies over seeds have no interval here. A training either solves T or collapses, and of five
such values the intervals of Student and Welch, and the bootstrap, cover the truth far less often
than they say: benchmarks/coverage.py measures it, and that of all intervals of the report.
"""

import itertools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

from studies.seed_statistics import clopper_pearson

SIGNIFICANT = 0.05
"""A p-value below this, after Holm's correction, is a difference beyond chance."""


class Successes(NamedTuple):
    """How many of ``n`` independent trainings solved T."""

    solved: int
    n: int


class Difference(NamedTuple):
    """The effect comes first.

    Attributes:
        value: first minus second.
        low, high: its 95 % interval.
        p_value: two-sided, of no difference; not corrected.
    """

    value: float
    low: float
    high: float
    p_value: float


def rate_difference(first: Successes, second: Successes) -> Difference:
    """Compare two solve rates.

    The test is Boschloo's exact one ("Raised Conditional Level of Significance for the 2x2-table
    when Testing the Equality of Two Probabilities", 1970), which finds more than Fisher's at the
    same level. The interval combines the exact intervals of both rates, as Zou & Donner,
    "Construction of Confidence Limits About Effect Measures", 2008, combine any two. Whatever the
    rates, it holds the difference in at least 93.9 % of five or ten trainings each; with Wilson's
    intervals, as in method 10 of Newcombe, 1998, it would in 88 %.
    """
    a, b = (rate.solved / rate.n for rate in (first, second))
    (a_low, a_high), (b_low, b_high) = clopper_pearson(*first), clopper_pearson(*second)
    return Difference(
        a - b,
        max(-1.0, a - b - math.hypot(a - a_low, b_high - b)),
        min(1.0, a - b + math.hypot(a_high - a, b - b_low)),
        _boschloo(first, second),
    )


def _boschloo(first: Successes, second: Successes) -> float:
    solved = [rate.solved for rate in (first, second)]
    unsolved = [rate.n - rate.solved for rate in (first, second)]
    if not any(solved) or not any(unsolved):
        return 1.0
    return float(stats.boschloo_exact([solved, unsolved]).pvalue)  # a column for each sample


def sooner(first: Sequence[float], second: Sequence[float]) -> float:
    """Probability that a training of the first solves T after fewer tokens; ties count half.

    Args:
        first, second: tokens to solve; infinite if a training did not solve T.

    Source: Vargha & Delaney, "A Critique and Improvement of the CL Common Language Effect Size
    Statistics of McGraw and Wong", 2000. 0.5 is no effect.
    """
    pairs = itertools.product(first, second)
    return float(np.mean([(a < b) + 0.5 * (a == b) for a, b in pairs]))


def rank_test(first: Sequence[float], second: Sequence[float]) -> float:
    """The two-sided p-value of Mann and Whitney's rank test, exact also with ties.

    Trainings that did not solve T, of infinite tokens, share the last rank. All ways to deal out
    the ranks are counted by their sums, so there is no approximation.

    Source: Mann & Whitney, "On a Test of Whether one of Two Random Variables is Stochastically
    Larger than the Other", 1947; its distribution with ties: Streitberg & Roehmel, "Exact
    Distributions for Permutation and Rank Tests", 1986.
    """
    n = len(first)
    doubled = np.rint(2 * stats.rankdata([*first, *second])).astype(int)  # whole with ties too
    total = int(doubled.sum())
    ways = np.zeros((n + 1, total + 1))  # of picking so many ranks with such a sum
    ways[0, 0] = 1
    for rank in doubled:
        ways[1:, rank:] += ways[:-1, : total + 1 - rank].copy()
    found = int(doubled[:n].sum())
    tails = ways[n, : found + 1].sum(), ways[n, found:].sum()
    return min(1.0, float(2 * min(tails) / ways[n].sum()))


def least_p_of_rates(n: int, m: int) -> float:
    """The smallest p-value of :func:`rate_difference` that n and m trainings can reach."""
    return _boschloo(Successes(n, n), Successes(0, m))


def least_p_of_ranks(n: int, m: int) -> float:
    """The smallest p-value of :func:`rank_test` that n and m trainings can reach."""
    return min(1.0, 2 / math.comb(n + m, n))


def seeds_to_tell(comparisons: int) -> int:
    """The fewest seeds of each model with which both tests can tell two apart.

    Args:
        comparisons: whose p-values are corrected together.
    """
    return next(
        n
        for n in itertools.count(2)
        if comparisons * max(least_p_of_rates(n, n), least_p_of_ranks(n, n)) < SIGNIFICANT
    )


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values of one family, corrected so that 5 % is the risk of any false finding in it.

    Source: Holm, "A Simple Sequentially Rejective Multiple Test Procedure", 1979.
    """
    order = np.argsort(p_values, kind="stable")
    corrected = [0.0] * len(order)
    largest = 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, (len(order) - rank) * float(p_values[index])))
        corrected[index] = largest
    return corrected


def median_to_solve(tokens: Sequence[float], solved: Sequence[bool]) -> float:
    """Tokens within which half of the trainings solve T: Kaplan and Meier's median.

    It is infinite if fewer than half have solved T by the end of their training.

    Args:
        tokens: until T was solved, or until the training ended without that, which censors it.

    Source: Kaplan & Meier, "Nonparametric Estimation from Incomplete Observations", 1958.
    """
    censored = [not of for of in solved]
    survival = stats.ecdf(stats.CensoredData.right_censored(list(tokens), censored)).sf
    half = survival.quantiles[survival.probabilities <= 0.5 + 1e-9]  # a product of rounded factors
    return float(half[0]) if len(half) else math.inf
