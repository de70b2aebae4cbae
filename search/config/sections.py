"""The sections ``search`` and ``resources`` of a configuration."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from search.config.algorithms import SAMPLERS, SCHEDULERS
from search.config.space import Scalar

METRIC_NAMES = {"ladder_accuracy": "ladder_accuracy", "accuracy": "validation_accuracy"}
"""``search.metric`` -> the name of that metric in results and files."""


class Section(BaseModel):
    """A part of a configuration: immutable, and strict about unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class SearchConfig(Section):
    """How the search decides.

    Attributes:
        trials: trials at each T.
        sampler: one of :data:`search.config.algorithms.SAMPLERS`.
        startup_trials: finished trials at a T after which TPE builds on them.
        scheduler: one of :data:`search.config.algorithms.SCHEDULERS`.
        metric: what sampler and scheduler see.
        grace_iterations: training iterations before a trial may be stopped.
        reduction_factor: about one in this many trials passes each rung.
        solved_trials: trials that solve T after which the search goes on to the next T.
        patience: trials in a row that end without raising the best value of ``metric`` at T by
            more than 0.005 (``history.MIN_GAIN``), after which the search goes on to the next T;
            null for no such limit. It waits for a running trial that is ahead of all that have
            ended. Were n trials independent draws, the next one would be the best so far with
            probability 1/(n + 1), and the best of the next k with k/(n + k): after 10 in vain
            among 20 that is 5 % and 33 %. So it does not tell that nothing better is left, but
            that one more trial is a poor use of the time. TPE's trials should be better than
            draws: take more than ``startup_trials``.
        budget_minutes: wall time of the search at all T; null for no limit. Final trainings and
            confirmations come on top.
        max_failures: how often in a row a trial that lost its worker (killed, out of memory,
            hung) is given another one, without a new iteration in between.
        stall_minutes: a trial without a result for so long has hung.
        initial: configurations tried first, verbatim. A value that the space does not have
            (any more) is sampled instead.
        carried_trials: best configurations of a T that are tried first at the next T, in turns
            with the initial ones.
        test_payloads: payloads on which each T's best trial is tested, and each confirmation.
        final: train the best trial at each T again, with the section ``final``. If it solves T
            it is the best of its T.
        confirm_seeds: how often the winner at each T is then trained again, each time with a
            fresh seed and tested on payloads of its own.
        tensorboard: also write event files for TensorBoard into the study directory.
        seed: of sampler and trials.
    """

    trials: int = Field(16, ge=1)
    sampler: Literal[tuple(SAMPLERS)] = "tpe"  # type: ignore[valid-type]
    startup_trials: int = Field(6, ge=1)
    scheduler: Literal[tuple(SCHEDULERS)] = "asha"  # type: ignore[valid-type]
    metric: Literal["ladder_accuracy", "accuracy"] = "ladder_accuracy"
    grace_iterations: int = Field(4, ge=1)
    reduction_factor: float = Field(3, gt=1)
    solved_trials: int = Field(2, ge=1)
    patience: int | None = Field(10, ge=1)
    budget_minutes: float | None = Field(9.5, gt=0)
    max_failures: int = Field(2, ge=0)
    stall_minutes: float = Field(15, gt=0)
    initial: list[dict[str, Scalar]] = []
    carried_trials: int = Field(3, ge=0)
    test_payloads: int = Field(2000, ge=1)
    final: bool = False
    confirm_seeds: int = Field(0, ge=0)
    tensorboard: bool = False
    seed: int = Field(0, ge=0, le=2**20)


class ResourcesConfig(Section):
    """What one trial occupies, and how many run at once.

    Attributes:
        cpus_per_trial, gpus_per_trial: fractions share a CPU or GPU.
        mixed: with GPUs, run trials also on the CPUs that no trial on a GPU needs.
        max_concurrent: trials at once; null for as many as fit.
        autoscale: ask a cluster for ``max_concurrent`` places whether it has them yet or not, so
            that it grows.
    """

    cpus_per_trial: float = Field(1, gt=0)
    gpus_per_trial: float = Field(0, ge=0)
    mixed: bool = False
    max_concurrent: int | None = Field(None, ge=1)
    autoscale: bool = False

    @model_validator(mode="after")
    def _check_combinations(self) -> "ResourcesConfig":
        if self.mixed and self.gpus_per_trial == 0:
            raise ValueError("mixed needs gpus_per_trial > 0, but got gpus_per_trial=0")
        if self.autoscale and self.max_concurrent is None:
            raise ValueError("autoscale needs max_concurrent: how far is the cluster to grow?")
        return self

    def threads_per_trial(self) -> int:
        """Threads that a trial's products may use."""
        return max(1, int(self.cpus_per_trial))
