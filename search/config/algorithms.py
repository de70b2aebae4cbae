"""The samplers and schedulers that a configuration can name.

A new one is a factory here and a line in its registry. The schema, ``--help`` and the completion of
the command line read the registries.
"""

import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from optuna.distributions import BaseDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import (
    BaseSampler,
    BruteForceSampler,
    CmaEsSampler,
    GPSampler,
    RandomSampler,
    TPESampler,
)
from optuna.study import Study
from optuna.trial import FrozenTrial

from search.config.brackets import grace_periods

if TYPE_CHECKING:
    from ray.tune.schedulers import TrialScheduler  # Ray takes seconds to import

Space = Mapping[str, BaseDistribution]
"""Name of each hyperparameter -> its distribution."""


@dataclass(frozen=True)
class SamplerKind:
    """A sampler that a configuration can name, and what it needs of those who ask it.

    Attributes:
        make: makes it. Keywords: ``seed``; ``startup_trials``, the number of finished trials before
            which it samples at random; ``space``, the distribution of each hyperparameter, or None
            if some are searched only with certain values of others.
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

    def __call__(self, *, seed: int, startup_trials: int, space: Space | None) -> BaseSampler:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            return self.make(seed=seed, startup_trials=startup_trials, space=space)


class TPEOfKnownSpace(TPESampler):
    """Optuna's TPE, told the search space, which it would infer from each trial that it sees.

    To infer it takes half the time of a suggestion.

    Args:
        space: the distribution of each hyperparameter.
        settings: those of TPESampler.
    """

    def __init__(self, space: Space, **settings: Any):
        super().__init__(**settings)
        self._space = {name: space[name] for name in sorted(space) if not space[name].single()}

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        return self._space


def tpe(*, seed: int, startup_trials: int, space: Space | None) -> BaseSampler:
    """Make Optuna's tree-structured Parzen estimator.

    Source: Bergstra et al., "Algorithms for Hyper-Parameter Optimization", 2011. Running trials
    count as bad ones (``constant_liar``), so that parallel trials differ from each other. Under
    conditions, hyperparameters that are searched together are modelled together (``group``).
    """
    settings: dict[str, Any] = {
        "seed": seed, "n_startup_trials": startup_trials, "multivariate": True,
        "constant_liar": True,
    }  # fmt: skip
    if space is None:
        return TPESampler(group=True, **settings)
    return TPEOfKnownSpace(space, **settings)


def random(*, seed: int, startup_trials: int, space: Space | None) -> BaseSampler:
    """Make a sampler of independent random samples; it ignores ``startup_trials``."""
    return RandomSampler(seed=seed)


def gp(*, seed: int, startup_trials: int, space: Space | None) -> BaseSampler:
    """Make Optuna's Gaussian process with expected improvement.

    Hyperparameters with a condition are sampled at random beside it.
    """
    return GPSampler(seed=seed, n_startup_trials=startup_trials, warn_independent_sampling=False)


def cmaes(*, seed: int, startup_trials: int, space: Space | None) -> BaseSampler:
    """Make Optuna's CMA-ES, an evolution strategy.

    Source: Hansen, "The CMA Evolution Strategy: A Tutorial", arXiv 1604.00772. Choices, and
    hyperparameters with a condition, are sampled at random beside it.
    """
    return CmaEsSampler(seed=seed, n_startup_trials=startup_trials, warn_independent_sampling=False)


def grid(*, seed: int, startup_trials: int, space: Space | None) -> BaseSampler:
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
    from search.config.asha import Asha

    return Asha(
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
    "tpe": SamplerKind(tpe, shown=250),
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
