"""The samplers and schedulers that a configuration can name.

A new one is a factory here and a line in its registry. The schema, ``--help`` and the completion of
the command line read the registries.
"""

import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from optuna.exceptions import ExperimentalWarning
from optuna.samplers import (
    BaseSampler,
    BruteForceSampler,
    CmaEsSampler,
    GPSampler,
    RandomSampler,
    TPESampler,
)

from search.config.brackets import grace_periods

if TYPE_CHECKING:
    from ray.tune.schedulers import TrialScheduler  # Ray takes seconds to import


@dataclass(frozen=True)
class SamplerKind:
    """A sampler that a configuration can name, and what it needs of those who ask it.

    Attributes:
        make: makes it. Keywords: ``seed``; ``startup_trials``, the number of finished trials before
            which it samples at random; ``conditional``, whether some hyperparameters are searched
            only with certain values of others.
        shown: finished trials that it sees at most.
        tells_stopped: whether it tells trials that were stopped early from completed ones. It would
            ignore them otherwise, so it is shown them as completed, with their last value.
        keeps_notes: whether its state is in notes on its trials. Where these are lost, it must be
            asked for each trial again.
        on_grid: whether it tries each point of a grid once.
    """

    make: Callable[..., BaseSampler]
    shown: float = math.inf
    tells_stopped: bool = True
    keeps_notes: bool = False
    on_grid: bool = False

    def __call__(self, *, seed: int, startup_trials: int, conditional: bool = False) -> BaseSampler:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            return self.make(seed=seed, startup_trials=startup_trials, conditional=conditional)


def tpe(*, seed: int, startup_trials: int, conditional: bool = False) -> BaseSampler:
    """Make Optuna's tree-structured Parzen estimator.

    Source: Bergstra et al., "Algorithms for Hyper-Parameter Optimization", 2011. Running trials
    count as bad ones (``constant_liar``), so that parallel trials differ from each other. Under
    conditions, hyperparameters that are searched together are modelled together (``group``).
    """
    return TPESampler(
        seed=seed,
        n_startup_trials=startup_trials,
        multivariate=True,
        group=conditional,
        constant_liar=True,
    )


def random(*, seed: int, startup_trials: int, conditional: bool) -> BaseSampler:
    """Make a sampler of independent random samples; it ignores ``startup_trials``."""
    return RandomSampler(seed=seed)


def gp(*, seed: int, startup_trials: int, conditional: bool) -> BaseSampler:
    """Make Optuna's Gaussian process with expected improvement.

    Hyperparameters with a condition are sampled at random beside it.
    """
    return GPSampler(seed=seed, n_startup_trials=startup_trials, warn_independent_sampling=False)


def cmaes(*, seed: int, startup_trials: int, conditional: bool) -> BaseSampler:
    """Make Optuna's CMA-ES, an evolution strategy.

    Source: Hansen, "The CMA Evolution Strategy: A Tutorial", arXiv 1604.00772. Choices, and
    hyperparameters with a condition, are sampled at random beside it.
    """
    return CmaEsSampler(seed=seed, n_startup_trials=startup_trials, warn_independent_sampling=False)


def grid(*, seed: int, startup_trials: int, conditional: bool) -> BaseSampler:
    """Make Optuna's exhaustive search, which tries each point once, in an order of chance."""
    return BruteForceSampler(seed=seed)


def asha(
    *, metric: str, max_iterations: int, grace_iterations: int, reduction_factor: float
) -> "TrialScheduler":
    """Make Ray's stopping variant of ASHA.

    Source: Li et al., "A System for Massively Parallel Hyperparameter Tuning", 2018.

    Args:
        metric: the name of the metric to maximize.
        max_iterations: iterations of a trial that spends its whole budget.
        grace_iterations: iterations before a trial may be stopped.
        reduction_factor: about one in this many trials passes each rung.
    """
    from ray.tune.schedulers import ASHAScheduler

    return ASHAScheduler(
        time_attr="iteration",
        metric=metric,
        mode="max",
        # A trial ends by itself at its budget; with + 1, ASHA only stops trials before that.
        max_t=max_iterations + 1,
        grace_period=min(grace_iterations, max_iterations),
        reduction_factor=reduction_factor,
    )


def hyperband(
    *, metric: str, max_iterations: int, grace_iterations: int, reduction_factor: float
) -> "TrialScheduler":
    """Make an asynchronous Hyperband: ASHA in several brackets, see :mod:`search.config.brackets`.

    Source: Li et al., "Hyperband: A Novel Bandit-Based Approach to Hyperparameter Optimization",
    2018. The arguments are those of :func:`asha`; the first bracket has this grace period.
    """
    from search.config.hyperband import Hyperband

    return Hyperband(
        lambda grace: asha(
            metric=metric,
            max_iterations=max_iterations,
            grace_iterations=grace,
            reduction_factor=reduction_factor,
        ),
        grace_periods(max_iterations, grace_iterations, reduction_factor),
        reduction_factor,
    )


def no_scheduler(
    *, metric: str, max_iterations: int, grace_iterations: int, reduction_factor: float
) -> "TrialScheduler":
    """Make a scheduler that stops no trial; it ignores all arguments."""
    from ray.tune.schedulers import FIFOScheduler

    return FIFOScheduler()


SAMPLERS: Mapping[str, SamplerKind] = {
    "tpe": SamplerKind(tpe, shown=500),
    "random": SamplerKind(random, shown=500),
    "gp": SamplerKind(gp, shown=200, tells_stopped=False),
    "cmaes": SamplerKind(cmaes, tells_stopped=False, keeps_notes=True),
    "grid": SamplerKind(grid, on_grid=True),
}
"""``search.sampler`` -> what makes it."""

SCHEDULERS: Mapping[str, "Callable[..., TrialScheduler]"] = {
    "asha": asha,
    "hyperband": hyperband,
    "none": no_scheduler,
}
"""``search.scheduler`` -> its factory."""
