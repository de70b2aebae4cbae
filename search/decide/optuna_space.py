"""The search space as Optuna sees it."""

from collections.abc import Mapping
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution

from search.config.algorithms import SamplerKind
from search.config.conditions import SearchSpace


class OptunaSpace:
    """A search space as Optuna sees it.

    Attributes:
        distributions: of each hyperparameter that is searched.
    """

    def __init__(self, space: SearchSpace, kind: SamplerKind):
        self._space = space
        self.distributions: Mapping[str, BaseDistribution] = {
            name: CategoricalDistribution(list(dimension.values())) if kind.on_grid
            else dimension.distribution()
            for name, dimension in space.dimensions.items()
        }  # fmt: skip

    def params(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The hyperparameters of a training as Optuna sees them: those of a range as floats."""
        return {
            name: float(value) if isinstance(self.distributions[name], FloatDistribution)
            else value
            for name, value in self._space.searched(values).items()
        }  # fmt: skip

    def suggested(self, trial: optuna.Trial) -> dict[str, Any]:
        """What Optuna suggests for a trial: each hyperparameter whose condition holds."""
        sample: dict[str, Any] = {}
        values: dict[str, Any] = {}
        for name, dimension in self._space.dimensions.items():
            if self._space.is_searched(name, values):
                sample[name] = suggested(trial, name, self.distributions[name])
                values[name] = dimension.value_of(sample[name])
        return sample


def suggested(trial: optuna.Trial, name: str, distribution: BaseDistribution) -> Any:
    """What Optuna suggests from a distribution."""
    if isinstance(distribution, CategoricalDistribution):
        return trial.suggest_categorical(name, distribution.choices)
    assert isinstance(distribution, FloatDistribution)
    return trial.suggest_float(name, distribution.low, distribution.high, log=distribution.log)
