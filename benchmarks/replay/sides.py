"""The searches that are compared: their objects, their metric, and what they start from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from benchmarks.replay.baselines import OptunaHyperband, Points, RayTune, SyneTune
from benchmarks.replay.curves import Pool, PoolSearch
from benchmarks.replay.policies import StudySearch, memory_study
from benchmarks.replay.simulator import Outcome, Policy, Simulation
from search.config.study_config import StudyConfig
from search.decide.agenda import first_configurations

ACCURACY, LADDER = "validation_accuracy", "ladder_accuracy"


@dataclass(frozen=True)
class Race:
    """What all sides are given.

    Attributes:
        config: of the study; its largest T is the one that is to be solved.
        pools: T -> its recorded trainings, of the same configurations at each T.
        workers: trials at once.
        horizon: simulated seconds after which a search at one T is given up.
        initial: configurations that every side tries first.
    """

    config: StudyConfig
    pools: Mapping[int, Pool]
    workers: int
    horizon: float
    initial: Points = ()

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
        known = [configuration.number for configuration in self.pools[self.target].configurations]
        drawn = np.random.default_rng(number).choice(known, len(known)).tolist()
        return replace(self, pools={T: pool.take(drawn) for T, pool in self.pools.items()})

    def simulate(self, policy: Policy, T: int, seed: int, solved_trials: int = 1) -> Outcome:
        """Run a search at one T, until so many trials have solved it."""
        return Simulation(
            policy,
            PoolSearch(self.pools[T], seed),
            workers=self.workers,
            horizon=self.horizon,
            solved_trials=solved_trials,
        ).run()


Side = Callable[[Race, int], Outcome]
"""A search with this seed until it has solved T."""


def ours(race: Race, seed: int, **search: Any) -> Outcome:
    """This project's search at T alone."""
    config = change(race.config, T=[race.target], seed=seed, initial=list(race.initial), **search)
    return race.simulate(StudySearch(memory_study(config), race.target), race.target, seed)


def other(make: Callable[..., Policy], race: Race, seed: int, **settings: Any) -> Outcome:
    """Another library's search at T."""
    policy = make(race.config, seed, race.initial, **settings)
    return race.simulate(policy, race.target, seed)


def after(side: Side, race: Race, seed: int) -> Outcome:
    """A side that tries first what this project carries over from its search at the T before."""
    before = race.config.T[-2]
    study = memory_study(change(race.config, seed=seed, initial=[]))
    policy = StudySearch(study, before)
    first = race.simulate(policy, before, seed, study.config.search.solved_trials)
    policy.end()
    outcome = side(replace(race, initial=first_configurations(study, race.target)), seed)
    return replace(outcome, clock_before=first.clock, tokens_before=first.tokens)


def change(config: StudyConfig, T: list[int] | None = None, **search: Any) -> StudyConfig:
    """The same configuration with other settings of the search."""
    settings = config.search.model_copy(update=search)
    return config.model_copy(update={"search": settings, "T": T or config.T})


def _other(make: Callable[..., Policy], metric: str = ACCURACY, **settings: Any) -> Side:
    return partial(other, make, metric=metric, **settings)


OURS = "ours"
RANDOM = "random search"

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

WARM: dict[str, Side] = {
    f"{name}, warm": partial(after, SIDES[name])
    for name in (OURS, RANDOM, "Ray Tune: OptunaSearch, ASHA", "Optuna: TPE, Hyperband",
                 "Syne Tune: ASHA")
}  # fmt: skip
"""All of them start with the same configurations, which this project found at the T before."""

OURS_WARM = f"{OURS}, warm"

ALL_SIDES = SIDES | ABLATIONS | CHOICES | WARM
"""Every side by its name."""


def sides_of(lengths: Sequence[int]) -> list[str]:
    """The sides of a comparison on a study of these T: with one there is none before."""
    return [side for side in ALL_SIDES if side not in WARM or len(lengths) > 1]
