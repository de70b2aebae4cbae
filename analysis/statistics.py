"""Intervals, effect sizes and tests: pure functions of numbers.

What may be compared how:

* The test accuracy of one trained network varies with the payloads. Its interval comes with it
  (best.csv: Wilson's, of the effective sample size over whole payloads). All models of one T and
  seed are tested on equal payloads, but which of them each model got right is not recorded, so
  two of them are compared as if the payloads were independent. That is valid, and cautious where
  the same payloads are hard for both.
* An architecture with its configuration varies with the seed. Seeds that confirm a winner are
  independent trainings, and are compared unpaired: that two models share a seed number means
  equal payloads, not similar weights, and a paired test of five seeds cannot reach 5 % (the least
  two-sided p-value of five signs is 1/16).
"""

import itertools
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

SIGNIFICANT = 0.05
"""A p-value below this, after Holm's correction, is a difference beyond chance."""

Z_95 = float(stats.norm.ppf(0.975))
RESAMPLES = 9_999
ENOUGH_SEEDS = 5
"""Seeds at each T from which on :func:`interquartile_mean` has an interval worth its name: it
covers the truth in 93 to 97 % of simulations (of three seeds at one T: 76 %), see
tests/analysis/test_statistics.py."""


class Accuracy(NamedTuple):
    """A share with its 95 % interval."""

    value: float
    low: float
    high: float


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


def wilson_sample_size(accuracy: Accuracy) -> float:
    """The sample size from which Wilson's interval has these ends; the inverse of the interval.

    Each end is the share p at which (value - p)^2 = z^2 p (1 - p) / n; the one farther away
    tells n more exactly. It is 0 for an interval that tells nothing.
    """
    value, low, high = accuracy
    end = low if value - low >= high - value else high
    distance = abs(value - end)
    return Z_95**2 * end * (1 - end) / distance**2 if distance else math.inf


def accuracy_difference(first: Accuracy, second: Accuracy) -> Difference:
    """Compare two independent shares of which only value and interval are known.

    Sources: the interval is method 10 of Newcombe, "Interval Estimation for the Difference
    Between Independent Proportions", 1998, which Zou & Donner, "Construction of Confidence
    Limits About Effect Measures", 2008, extend to any pair of intervals; the test is the score
    test of two proportions with the effective sample sizes.
    """
    value = first.value - second.value
    down = math.hypot(first.value - first.low, second.high - second.value)
    up = math.hypot(first.high - first.value, second.value - second.low)
    n, m = wilson_sample_size(first), wilson_sample_size(second)
    if not n or not m:  # one of them is not known at all
        return Difference(value, -1.0, 1.0, 1.0)
    pooled = (n * first.value + m * second.value) / (n + m)
    error = math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m))
    p = 2 * float(stats.norm.sf(abs(value) / error)) if error else 1.0
    return Difference(value, max(-1.0, value - down), min(1.0, value + up), p)


def mean_difference(first: Sequence[float], second: Sequence[float]) -> Difference:
    """Compare the means of two independent samples of at least two values each.

    The interval is Welch's ("The Generalization of Student's Problem when Several Different
    Population Variances are Involved", 1947); the p-value is that of a permutation test of the
    difference of means, of all permutations if they are few, which needs no normal values.
    """
    a, b = np.asarray(first, float), np.asarray(second, float)
    value = float(a.mean() - b.mean())
    variances = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    error = math.sqrt(sum(variances))
    if not error:
        return Difference(value, value, value, _permutation_p(a, b))
    freedom = error**4 / (variances[0] ** 2 / (len(a) - 1) + variances[1] ** 2 / (len(b) - 1))
    half = float(stats.t.ppf(0.975, freedom)) * error
    low, high = max(-1.0, value - half), min(1.0, value + half)
    return Difference(value, low, high, _permutation_p(a, b))


def _permutation_p(a: np.ndarray, b: np.ndarray) -> float:
    result = stats.permutation_test(
        (a, b),
        lambda x, y, axis: x.mean(axis=axis) - y.mean(axis=axis),
        vectorized=True,
        n_resamples=RESAMPLES,
        rng=np.random.default_rng(0),
    )
    return float(result.pvalue)


def superiority(first: Sequence[float], second: Sequence[float]) -> float:
    """Probability that a value of the first sample is above one of the second; ties count half.

    Source: Vargha & Delaney, "A Critique and Improvement of the CL Common Language Effect Size
    Statistics of McGraw and Wong", 2000. 0.5 is no effect.
    """
    pairs = itertools.product(first, second)
    return float(np.mean([(a > b) + 0.5 * (a == b) for a, b in pairs]))


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


def interquartile_mean(strata: Sequence[Sequence[float]]) -> Accuracy:
    """Mean of the middle half of all values, with its 95 % stratified bootstrap interval.

    Args:
        strata: the values of each T, at least two; resampled within each.

    Source: Agarwal, Schwarzer, Castro, Courville & Bellemare, "Deep Reinforcement Learning at
    the Edge of the Statistical Precipice", 2021 (rliable): less swayed by one bad seed than the
    mean, and more exact than the median. Their percentile interval covers the truth in 92 % of
    simulations with 20 values, so its tails are widened for small samples as Hesterberg, "What
    Teachers Should Know About the Bootstrap", 2015, does.
    """
    rng = np.random.default_rng(0)
    samples = [np.asarray(values, float) for values in strata]
    resampled = np.concatenate(
        [rng.choice(values, (RESAMPLES, len(values))) for values in samples], axis=1
    )
    smallest = min(map(len, samples))
    freedom = sum(map(len, samples)) - len(samples)
    widened = stats.norm.sf(math.sqrt(smallest / (smallest - 1)) * stats.t.ppf(0.975, freedom))
    low, high = np.quantile(_middle_mean(resampled), [widened, 1 - widened])
    return Accuracy(float(_middle_mean(np.concatenate(samples))), float(low), float(high))


_middle_mean: Callable[[np.ndarray], np.ndarray] = lambda values: stats.trim_mean(  # noqa: E731
    values, 0.25, axis=-1
)
