"""Medians over seeds with bootstrap intervals. Infinite values are searches that did not end."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

RESAMPLES = 10_000


class Estimate(NamedTuple):
    """A statistic and its 95 % percentile bootstrap interval (Efron & Tibshirani 1993, ch. 13)."""

    value: float
    low: float
    high: float


def median(values: Sequence[float]) -> Estimate:
    """The median; an observed value, so that infinite ones do no harm."""
    return _bootstrap(np.asarray(values), None, lambda sample, _: sample)


def ratio_of_medians(numerator: Sequence[float], denominator: Sequence[float]) -> Estimate:
    """The ratio of the medians of two independent samples; NaN where both are infinite."""
    return _bootstrap(np.asarray(numerator), np.asarray(denominator), np.divide)


def _bootstrap(
    first: np.ndarray, second: np.ndarray | None, combine: Callable[..., np.ndarray]
) -> Estimate:
    generator = np.random.default_rng(0)

    def resampled(values: np.ndarray | None) -> np.ndarray | None:
        if values is None:
            return None
        drawn = values[generator.integers(len(values), size=(RESAMPLES, len(values)))]
        return _median(drawn)

    with np.errstate(invalid="ignore"):
        value = combine(_median(first), None if second is None else _median(second))
        estimates = combine(resampled(first), resampled(second))
    low, high = _quantile(estimates[~np.isnan(estimates)], (0.025, 0.975))
    return Estimate(float(value), float(low), float(high))


def _median(values: np.ndarray) -> np.ndarray:
    return _quantile(values, 0.5)


def _quantile(values: np.ndarray, share: float | tuple[float, ...]) -> np.ndarray:
    if not values.size:
        return np.full(np.shape(share), np.nan)
    return np.quantile(values, share, axis=-1, method="inverted_cdf")
