"""PED-ANOVA of many rankings of the same trials at once.

Optuna's evaluator, which this follows step by step, looks at one ranking at a time: 200 shuffles of
each of 50 studies took it half a minute.

Source: Watanabe, Bansal & Hutter, "PED-ANOVA: Efficiently Quantifying Hyperparameter Importance in
Arbitrary Subspaces", 2023. The bandwidth is by Scott, "Multivariate Density Estimation", 1992.

Sizes: S rankings, N trials, C cells of the grid of a hyperparameter.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from scipy.special import ndtr

MOST_CELLS = 50
LEAST_WIDTH = 0.5 / 1.64
"""Of a kernel, in cells: 90 % of it lie in its own cell."""

SCOTT = 1.059
QUARTILES = 1.34  # distance of a normal distribution's quartiles, in standard deviations
TINY = 1e-12


def best_trials(values: np.ndarray, share: float) -> np.ndarray:
    """Which trials are among the best: at least this share of them, and those that equal the last.

    Args:
        values: shape (S, N); higher is better.

    Returns:
        Shape (S, N), bool.
    """
    place = math.ceil(share * values.shape[1]) - 1
    cutoff = -np.partition(-values, place, axis=1)[:, place]
    chosen: np.ndarray = values >= cutoff[:, None]
    return chosen


def importances(
    cells: Sequence[Any], distribution: BaseDistribution, best: np.ndarray
) -> np.ndarray:
    """The importance of one hyperparameter for being among the best trials.

    Args:
        cells: its value in each of N trials.
        best: shape (S, N), of :func:`best_trials`.

    Returns:
        Shape (S,): the Pearson divergence of the densities of the best and of all trials, times
        the squared share of the best.
    """
    if distribution.single():
        return np.zeros(len(best))
    places, size = _grid(cells, distribution)
    one_hot = np.eye(size)[places]  # (N, C)
    categorical = isinstance(distribution, CategoricalDistribution)
    density = _categorical_density if categorical else _numerical_density
    of_all = density(one_hot.sum(axis=0)[None]) + TINY  # (1, C)
    of_best = density(best @ one_hot) + TINY  # (S, C)
    divergence = (of_all * (of_best / of_all - 1) ** 2).sum(axis=1)
    found: np.ndarray = best.mean(axis=1) ** 2 * divergence
    return found


def _grid(cells: Sequence[Any], distribution: BaseDistribution) -> tuple[np.ndarray, int]:
    """The cell of each value, and how many cells there are."""
    if isinstance(distribution, CategoricalDistribution):
        chosen = [int(distribution.to_internal_repr(cell)) for cell in cells]
        return np.array(chosen), len(distribution.choices)
    assert isinstance(distribution, IntDistribution | FloatDistribution)
    low, high = float(distribution.low), float(distribution.high)
    size = MOST_CELLS
    if isinstance(distribution, IntDistribution):
        steps = high - low + 1
        size = min(size, math.ceil(math.log2(steps)) + 1 if distribution.log else round(steps))
    values = np.asarray(cells, dtype="float64")
    if distribution.log:
        values, low, high = np.log(values), math.log(low), math.log(high)
    places = np.ceil((values - low) / (high - low) * (size - 1) - 0.5).astype(int)
    return np.clip(places, 0, size - 1), size


def _categorical_density(counts: np.ndarray) -> np.ndarray:
    """Density over C choices, from counts of shape (S, C): a kernel a choice, and a flat prior."""
    size = counts.shape[1]
    total = counts.sum(axis=1, keepdims=True)
    flat = 1 / ((counts > 0).sum(axis=1, keepdims=True) + 1)
    kernels = (counts + total * flat) / (1 + size * flat)
    density: np.ndarray = (kernels + 1 / size) / (total + 1)
    return density


def _numerical_density(counts: np.ndarray) -> np.ndarray:
    """Density over C cells, from counts of shape (S, C): normal kernels and a wide prior."""
    size = counts.shape[1]
    centres = np.arange(size)
    total = counts.sum(axis=1)
    kernels = _kernels(centres, _widths(counts)[:, None])  # (S, C, C)
    prior = _kernels(np.array([(size - 1) / 2]), np.array([[float(size)]]), size)[0]
    density: np.ndarray = (np.einsum("sm,smc->sc", counts, kernels) + prior) / (total + 1)[:, None]
    return density


def _widths(counts: np.ndarray) -> np.ndarray:
    """The standard deviation of the kernels by Scott's rule, in cells; shape (S,)."""
    centres = np.arange(counts.shape[1])
    total = counts.sum(axis=1)
    mean = counts @ centres / total
    squares = (counts * (centres - mean[:, None]) ** 2).sum(axis=1)
    deviation = np.sqrt(squares / np.maximum(1, total - 1))
    below = counts.cumsum(axis=1)
    first = (below >= np.maximum(1, total // 4)[:, None]).argmax(axis=1)
    third = (below > (total * 3 // 4)[:, None]).argmax(axis=1)
    width = SCOTT * np.minimum((third - first) / QUARTILES, deviation) * total**-0.2
    found: np.ndarray = np.maximum(width, LEAST_WIDTH)
    return found


def _kernels(centres: np.ndarray, widths: np.ndarray, size: int | None = None) -> np.ndarray:
    """Probability of each cell under normal distributions that are cut off at the grid's ends.

    Args:
        centres: shape (M,), in cells.
        widths: shape (S, 1) or (S, M).

    Returns:
        Shape (S, M, C).
    """
    edges = np.arange((len(centres) if size is None else size) + 1) - 0.5
    below = ndtr((edges - centres[:, None]) / widths[..., None])
    masses: np.ndarray = np.diff(below, axis=-1) / (below[..., -1:] - below[..., :1])
    return masses
