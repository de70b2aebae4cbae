"""The searches that are compared: their objects, their metric and their T."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from benchmarks.baselines.spaces import GRACE
from benchmarks.replay.baselines import OptunaHyperband, RayTune, SyneTune
from benchmarks.replay.curves import Curves
from benchmarks.replay.policies import CompleteTellingSampler, StudySearch, memory_study
from benchmarks.replay.simulator import Outcome, Policy, Simulation
from search.config.study_config import StudyConfig
from search.decide.samplers import Sampler

ACCURACY, LADDER = "validation_accuracy", "ladder_accuracy"


@dataclass(frozen=True)
class Race:
    """What all sides are given.

    Attributes:
        config: of the study; its largest T is the one that is to be solved.
        curves: by T.
        workers: trials at once.
        horizon: simulated seconds after which a search at one T is given up.
        solved_trials: trials that have to solve the target.
    """

    config: StudyConfig
    curves: dict[int, Curves]
    workers: int
    horizon: float
    solved_trials: int = 1

    @property
    def target(self) -> int:
        """The length that is to be solved."""
        return self.config.T[-1]

    def simulate(self, policy: Policy, T: int, solved_trials: int | None = None) -> Outcome:
        """Run a search at one T, until so many trials have solved it."""
        return Simulation(
            policy,
            self.curves[T],
            workers=self.workers,
            horizon=self.horizon,
            solved_trials=solved_trials or self.solved_trials,
        ).run()


Side = Callable[[Race, int], Outcome]
"""A search with this seed until it has solved T."""


def ours(race: Race, seed: int, kind: type[Sampler] = Sampler, **search: Any) -> Outcome:
    """This project's search at T alone, without any configuration to begin with."""
    config = change(race.config, T=[race.target], seed=seed, initial=[], **search)
    return race.simulate(StudySearch(memory_study(config), race.target, kind=kind), race.target)


def ours_in_order(race: Race, seed: int, **search: Any) -> Outcome:
    """This project's search of every T of the study in ascending order, as it is meant to be."""
    study = memory_study(change(race.config, seed=seed, initial=[], **search))
    clock, tokens = 0.0, 0
    for T in study.config.T[:-1]:
        policy = StudySearch(study, T)
        outcome = race.simulate(policy, T, study.config.search.solved_trials)
        policy.end()
        clock += outcome.clock
        tokens += outcome.tokens
    outcome = race.simulate(StudySearch(study, race.target), race.target)
    return replace(outcome, clock_before=clock, tokens_before=tokens)


def change(config: StudyConfig, T: list[int] | None = None, **search: Any) -> StudyConfig:
    """The same configuration with other settings of the search."""
    settings = config.search.model_copy(update=search)
    return config.model_copy(update={"search": settings, "T": T or config.T})


def other(make: Callable[..., Policy], race: Race, seed: int, **settings: Any) -> Outcome:
    """Another library's search at T."""
    return race.simulate(make(race.config, seed, **settings), race.target)


def _other(make: Callable[..., Policy], metric: str = ACCURACY, **settings: Any) -> Side:
    return partial(other, make, metric=metric, **settings)


OURS = "ours"
RANDOM = "random search"
IN_ORDER = "ours, after the T before"

SIDES: dict[str, Side] = {
    OURS: ours,
    IN_ORDER: ours_in_order,
    RANDOM: partial(ours, sampler="random", scheduler="none"),
    "Ray Tune: OptunaSearch, ASHA": _other(RayTune),
    "Optuna: TPE, Hyperband": _other(OptunaHyperband),
    "Syne Tune: ASHA": _other(SyneTune, scheduler="ASHA"),
    "Syne Tune: ASHACQR": _other(SyneTune, scheduler="ASHACQR"),
    "Syne Tune: BOHB": _other(SyneTune, scheduler="BOHB"),
}
"""What a user would run. The other libraries see the accuracy at T."""


def sides_of(lengths: Sequence[int]) -> list[str]:
    """The sides of a comparison on a study of these T: with one there is none before."""
    return [side for side in SIDES if side != IN_ORDER or len(lengths) > 1]


ABLATIONS: dict[str, Side] = {
    "ours on accuracy at T": partial(ours, metric="accuracy"),
    "ours, stopped is told as complete": partial(ours, kind=CompleteTellingSampler),
    "ours without TPE": partial(ours, sampler="random"),
    "ours without ASHA": partial(ours, scheduler="none"),
    "ours, grace of four": partial(ours, grace_iterations=GRACE),
    "Ray Tune, grace of one": _other(RayTune, grace=1),
    "Ray Tune, ASHA's defaults": _other(RayTune, grace=1, reduction_factor=4),
    "Optuna, grace of one": _other(OptunaHyperband, grace=1),
    "Syne Tune: ASHA, grace of one": _other(SyneTune, scheduler="ASHA", grace=1),
    "Ray Tune, ladder accuracy": _other(RayTune, LADDER, grace=1),
    "Optuna, ladder accuracy": _other(OptunaHyperband, LADDER, grace=1),
    "Syne Tune: ASHA, ladder accuracy": _other(SyneTune, LADDER, scheduler="ASHA", grace=1),
    "Syne Tune: ASHACQR, ladder accuracy": _other(SyneTune, LADDER, scheduler="ASHACQR", grace=1),
    "Syne Tune: BOHB, ladder accuracy": _other(SyneTune, LADDER, scheduler="BOHB", grace=1),
}
"""What of the difference is whose. Other libraries on the ladder accuracy have the grace period
that this makes possible as well."""

CHOICES: dict[str, Side] = {
    "tpe, asha": ours,
    "random, asha": partial(ours, sampler="random"),
    "gp, asha": partial(ours, sampler="gp"),
    "cmaes, asha": partial(ours, sampler="cmaes"),
    "tpe, hyperband": partial(ours, scheduler="hyperband"),
}
"""This project's search with each sampler and scheduler that a user can choose."""

ALL_SIDES = SIDES | ABLATIONS | CHOICES
"""Every side by its name."""
