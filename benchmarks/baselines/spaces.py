"""The search space of a configuration in the form that other libraries want."""

from collections.abc import Sequence
from typing import Any

from optuna.distributions import BaseDistribution, IntDistribution

from search.config.dimensions import Choices, Scalar
from search.config.space import typed
from search.config.study_config import StudyConfig


def optuna_space(config: StudyConfig) -> dict[str, BaseDistribution]:
    """For ``study.ask`` of Optuna."""
    space: dict[str, BaseDistribution] = {}
    for name, dimension in config.dimensions().items():
        space[name] = dimension.distribution()
        if not isinstance(dimension, Choices) and dimension.type == "int":
            space[name] = IntDistribution(int(dimension.low), int(dimension.high), dimension.log)
    return space


def ray_space(config: StudyConfig) -> dict[str, Any]:
    """For ``param_space`` of Ray Tune."""
    from ray import tune

    space: dict[str, Any] = {}
    for name, dimension in config.dimensions().items():
        if isinstance(dimension, Choices):
            space[name] = tune.choice(dimension.choices)
        elif dimension.type == "int":  # Ray leaves the upper end out
            integers = tune.lograndint if dimension.log else tune.randint
            space[name] = integers(int(dimension.low), int(dimension.high) + 1)
        else:
            floats = tune.loguniform if dimension.log else tune.uniform
            space[name] = floats(dimension.low, dimension.high)
    return space


def syne_tune_space(config: StudyConfig) -> dict[str, Any]:
    """For ``config_space`` of a scheduler of Syne Tune."""
    from syne_tune import config_space as syne

    space: dict[str, Any] = {}
    for name, dimension in config.dimensions().items():
        if isinstance(dimension, Choices):
            space[name] = syne.choice(dimension.choices)
        elif dimension.type == "int":
            integers = syne.lograndint if dimension.log else syne.randint
            space[name] = integers(int(dimension.low), int(dimension.high))
        else:
            floats = syne.loguniform if dimension.log else syne.uniform
            space[name] = floats(dimension.low, dimension.high)
    return space


def values_of(config: StudyConfig, arguments: Sequence[str]) -> dict[str, Scalar]:
    """The hyperparameters of a trial of Syne Tune, which gets them on its command line.

    Args:
        arguments: --NAME VALUE --NAME VALUE ..., also others.
    """
    given = dict(zip(arguments[::2], arguments[1::2], strict=True))
    return {name: typed(name, given[f"--{name}"], config.types) for name in config.dimensions()}
