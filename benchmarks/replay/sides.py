"""The searches that are compared: their objects and their metric. All start from nothing."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from benchmarks.baselines.race import OURS, RANDOM
from benchmarks.replay.baselines import OptunaHyperband, RayTune, SyneTune
from benchmarks.replay.curves import Pool, PoolSearch
from benchmarks.replay.policies import StudySearch, memory_study
from benchmarks.replay.simulator import Outcome, Policy, Simulation
from search.config.study_config import StudyConfig

ACCURACY, LADDER = "validation_accuracy", "ladder_accuracy"


@dataclass(frozen=True)
class Race:
    """What all sides are given.

    Attributes:
        config: of the study; its largest T is the one that is to be solved.
        pool: the recorded trainings at that T.
        workers: trials at once.
        horizon: simulated seconds after which a search is given up.
    """

    config: StudyConfig
    pool: Pool
    workers: int
    horizon: float

    @property
    def target(self) -> int:
        """The length that is to be solved."""
        return self.config.T[-1]

    def resampled(self, number: int) -> "Race":
        """The same with another pool: as many configurations, drawn with replacement.

        Args:
            number: of the pool; 0 is the recorded one. The same configurations are drawn for every
                model that is recorded with as many.
        """
        if not number:
            return self
        known = [configuration.number for configuration in self.pool.configurations]
        drawn = np.random.default_rng(number).choice(known, len(known)).tolist()
        return replace(self, pool=self.pool.take(drawn))

    def simulate(self, policy: Policy, seed: int) -> Outcome:
        """Run a search until a trial has solved T."""
        trials = PoolSearch(self.pool, seed)
        return Simulation(policy, trials, workers=self.workers, horizon=self.horizon).run()


Side = Callable[[Race, int], Outcome]
"""A search with this seed until it has solved T."""


def ours(race: Race, seed: int, **search: Any) -> Outcome:
    """This project's search."""
    config = change(race.config, T=[race.target], seed=seed, **search)
    return race.simulate(StudySearch(memory_study(config), race.target), seed)


def other(make: Callable[..., Policy], race: Race, seed: int, **settings: Any) -> Outcome:
    """Another library's search."""
    return race.simulate(make(race.config, seed, **settings), seed)


def change(config: StudyConfig, T: list[int] | None = None, **search: Any) -> StudyConfig:
    """The same configuration with other settings of the search."""
    settings = config.search.model_copy(update=search)
    return config.model_copy(update={"search": settings, "T": T or config.T})


def _other(make: Callable[..., Policy], metric: str = ACCURACY, **settings: Any) -> Side:
    return partial(other, make, metric=metric, **settings)


SIDES: dict[str, Side] = {
    OURS: ours,
    RANDOM: partial(ours, sampler="random", scheduler="none"),
    "Ray Tune: OptunaSearch, ASHA": _other(RayTune),
    "Optuna: TPE, Hyperband": _other(OptunaHyperband),
    "Syne Tune: ASHA": _other(SyneTune, scheduler="ASHA"),
    "Syne Tune: BOHB": _other(SyneTune, scheduler="BOHB"),
}
"""What a user would run. The other libraries see the accuracy at T. Syne Tune's ASHACQR takes a
second for a suggestion, so it is only in the real races."""

ABLATIONS: dict[str, Side] = {
    "ours without ladder accuracy": partial(ours, metric="accuracy"),
    "ours without TPE": partial(ours, sampler="random"),
    "ours without ASHA": partial(ours, scheduler="none"),
    "ours, grace of one": partial(ours, grace_iterations=1),
    "Ray Tune, ladder accuracy": _other(RayTune, LADDER),
    "Optuna, ladder accuracy": _other(OptunaHyperband, LADDER),
    "Syne Tune: ASHA, ladder accuracy": _other(SyneTune, LADDER, scheduler="ASHA"),
}
"""What of the difference is whose. Racing is not among them: it chooses between configurations by
trainings with fresh seeds, and each configuration of the pool has one such training left."""

CHOICES: dict[str, Side] = {
    "ours, gp": partial(ours, sampler="gp"),
    "ours, cmaes": partial(ours, sampler="cmaes"),
    "ours, hyperband": partial(ours, scheduler="hyperband"),
}
"""This project's search with each sampler and scheduler that a user can choose."""

ALL_SIDES = SIDES | ABLATIONS | CHOICES
"""Every side by its name."""
