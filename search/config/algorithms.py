"""The samplers and schedulers that a configuration can name.

A new one is a factory here and a line in its registry. The schema, ``--help`` and the completion of
the command line read the registries.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from optuna.samplers import BaseSampler, RandomSampler, TPESampler

if TYPE_CHECKING:
    from ray.tune.schedulers import TrialScheduler  # Ray takes seconds to import


def tpe(*, seed: int, startup_trials: int) -> BaseSampler:
    """Make Optuna's tree-structured Parzen estimator.

    Source: Bergstra et al., "Algorithms for Hyper-Parameter Optimization", 2011. Running trials
    count as bad ones (``constant_liar``), so that parallel trials differ from each other.

    Args:
        seed: seed of the sampler.
        startup_trials: number of finished trials before which it samples at random.
    """
    return TPESampler(
        seed=seed, n_startup_trials=startup_trials, multivariate=True, constant_liar=True
    )


def random(*, seed: int, startup_trials: int) -> BaseSampler:
    """Make a sampler of independent random samples; it ignores ``startup_trials``."""
    return RandomSampler(seed=seed)


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


def no_scheduler(
    *, metric: str, max_iterations: int, grace_iterations: int, reduction_factor: float
) -> "TrialScheduler":
    """Make a scheduler that stops no trial; it ignores all arguments."""
    from ray.tune.schedulers import FIFOScheduler

    return FIFOScheduler()


SAMPLERS: Mapping[str, Callable[..., BaseSampler]] = {"tpe": tpe, "random": random}
"""``search.sampler`` -> its factory."""

SCHEDULERS: Mapping[str, "Callable[..., TrialScheduler]"] = {"asha": asha, "none": no_scheduler}
"""``search.scheduler`` -> its factory."""
