"""Medians over seeds, bootstrap intervals; a search that did not solve T counts as infinity."""

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
    return _bootstrap([values], lambda value: value)


def ratio_of_medians(*pairs: tuple[Sequence[float], Sequence[float]]) -> Estimate:
    """The ratio of the medians of two independent samples; NaN where both are infinite.

    Of several pairs, one for each model, the geometric mean of their ratios.
    """

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
        value = combine(*map(_median, values))
        estimates = combine(*map(_median, drawn))
    low, high = _quantile(estimates[~np.isnan(estimates)], (0.025, 0.975))
    return Estimate(float(value), float(low), float(high))


def _median(values: np.ndarray) -> np.ndarray:
    return _quantile(values, 0.5)


def _quantile(values: np.ndarray, share: float | tuple[float, ...]) -> np.ndarray:
    if not values.size:
        return np.full(np.shape(share), np.nan)
    return np.quantile(values, share, axis=-1, method="inverted_cdf")
