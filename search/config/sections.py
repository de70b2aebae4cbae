"""The sections ``search`` and ``resources`` of a configuration."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from copytask.user_code import absolute_name
from search.config.algorithms import SAMPLERS, SCHEDULERS
from search.config.dimensions import Scalar
from search.config.loggers import TENSORBOARD
from studies.format import NEXT_T

METRIC_NAMES = {"ladder_accuracy": "ladder_accuracy", "accuracy": "validation_accuracy"}
"""``search.metric`` -> the name of that metric in results and files."""


REACH = 1_000_000
"""``search.reach`` of a command with ``--reach`` alone: budget or memory end a study before."""

RACE_SHARE = 0.25
"""The share of a budget, ``search.budget_minutes`` or ``budget_tokens``, that the search at all T
leaves for the races."""


class Section(BaseModel):
    """A part of a configuration: immutable, and strict about unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class WarmLength(Section):
    """What a study takes over from another one at a T, see :mod:`search.study.warm_start`.

    Attributes:
        T: where its configurations are tried first.
        source: where the other study had tried them.
        trials: their names there.
        points: the configurations, in the values of this search space.
    """

    T: int
    source: int
    trials: list[str]
    points: list[dict[str, Scalar]]


class SearchConfig(Section):
    """The section ``search``: how the study searches, and when it stops.

    Attributes:
        trials: number of trials at each T, at most.
        sampler: one of :data:`search.config.algorithms.SAMPLERS`.
        startup_trials: number of finished trials at a T after which the sampler learns from them.
        scheduler: one of :data:`search.config.algorithms.SCHEDULERS`.
        metric: the metric that sampler and scheduler maximize.
        grace_iterations: training iterations before a trial may be stopped.
        reduction_factor: about one in this many trials passes each rung.
        rank_by: how trials at a T are ranked: ``tokens_to_solve`` puts those first that solved T,
            with the fewest tokens at their head; ``accuracy`` is the validation accuracy at T. The
            first is the best trial of its T, and the first ones are carried to the next T.
        solved_trials: the search moves on to the next T after this many trials have solved T.
        patience: the search moves on to the next T after this many trials in a row have ended
            without raising the best value of ``metric`` at T by more than 0.005
            (``history.MIN_GAIN``); null for no such limit. It waits for a running trial that is
            ahead of all ended ones. If n trials were independent draws, the next one would be the
            best so far with probability 1/(n + 1), and the best of the next k with k/(n + k): after
            20 trials that is 5 % for the next trial and 33 % for the next 10. So patience does not
            show that nothing better is left, but that one more trial is a poor use of time. TPE's
            trials should be better than draws: set it above ``startup_trials``.
        race_seeds: among the configurations that solved T, that one is the best which solves T
            with this many fresh seeds in a row, see :mod:`search.study.race`; 0 does not race.
        race_candidates: number of configurations at a T that race, at most.
        budget_minutes: wall time of the search at all T and of the races together; null for no
            limit. Races get what the search leaves, at least the share ``RACE_SHARE``. Final
            trainings and confirmations take additional time.
        budget_tokens: the same in tokens that trials train on; null for no limit. Running trials
            add what they train on until their next result.
        reach: the largest T to which the study goes on beyond its list: T doubles, as long as a
            trial has solved the last one, up to here; 0 for none. ``budget_minutes`` limits the
            search at these T too.
        max_failures: how many times in a row a trial that lost its worker (killed, out of memory,
            hung) is retried without a new iteration in between.
        stall_minutes: a trial counts as hung after this many minutes without a result; at a T
            beyond the list after proportionally more.
        initial: configurations to try first, exactly as they are. A value outside the space is
            sampled instead.
        warm_from: another study whose winners are tried first; null for none.
        warm: what was taken over from it when this study was made.
        carried_trials: number of the best configurations at a T that are tried first at the next T,
            alternating with the initial ones.
        test_payloads: number of payloads for the test of each T's best trial and of each
            confirmation.
        final: train the best trial at each T again, with the settings in the section ``final``. If
            it solves T, it becomes the best of that T.
        confirm_seeds: how many times the winner at each T is then trained again, each time with a
            fresh seed and tested on separate payloads.
        tensorboard: also write event files for TensorBoard into the study directory; the same as
            ``tensorboard`` among the loggers.
        loggers: what else shows the trials: some of :data:`search.config.loggers.LOGGERS`, and
            listeners of your own, ``package.module:Class`` or ``path/file.py:Class``.
        seed: seed of the sampler and of every trial.
    """

    trials: int = Field(16, ge=1)
    sampler: Literal[tuple(SAMPLERS)] = "tpe"  # type: ignore[valid-type]
    startup_trials: int = Field(6, ge=1)
    scheduler: Literal[tuple(SCHEDULERS)] = "asha"  # type: ignore[valid-type]
    metric: Literal["ladder_accuracy", "accuracy"] = "ladder_accuracy"
    grace_iterations: int = Field(4, ge=1)
    reduction_factor: float = Field(3, gt=1)
    rank_by: Literal["tokens_to_solve", "accuracy"] = "tokens_to_solve"
    solved_trials: int = Field(2, ge=1)
    patience: int | None = Field(10, ge=1)
    race_seeds: int = Field(3, ge=0)
    race_candidates: int = Field(3, ge=1)
    budget_minutes: float | None = Field(9.5, gt=0)
    budget_tokens: int | None = Field(None, ge=1)
    reach: int = Field(0, ge=0)
    max_failures: int = Field(2, ge=0)
    stall_minutes: float = Field(15, gt=0)
    initial: list[dict[str, Scalar]] = []
    warm_from: str | None = None
    warm: list[WarmLength] = []
    carried_trials: int = Field(3, ge=0)
    test_payloads: int = Field(2000, ge=1)
    final: bool = False
    confirm_seeds: int = Field(0, ge=0)
    tensorboard: bool = False
    loggers: list[str] = []
    seed: int = Field(0, ge=0, le=2**20)

    @field_validator("loggers")
    @classmethod
    def _name_loggers(cls, names: list[str]) -> list[str]:
        return list(dict.fromkeys(map(absolute_name, names)))  # each once, from any folder

    @property
    def writes_event_files(self) -> bool:
        """Whether TensorBoard gets event files."""
        return self.tensorboard or TENSORBOARD in self.loggers

    @property
    def search_minutes(self) -> float | None:
        """The part of ``budget_minutes`` that the search at all T may take before the races."""
        return self._before_races(self.budget_minutes)

    @property
    def search_tokens(self) -> float | None:
        """The same part of ``budget_tokens``."""
        return self._before_races(self.budget_tokens)

    def limit(self, name: str) -> float | None:
        """The value of what ended a search; who ended it by ``--next-T`` raises ``trials``."""
        value: float | None = getattr(self, "trials" if name == NEXT_T else name)
        return value

    def _before_races(self, budget: float | None) -> float | None:
        return budget if budget is None or not self.race_seeds else budget * (1 - RACE_SHARE)


class ResourcesConfig(Section):
    """The section ``resources``: what each trial needs, and how many run at once.

    Attributes:
        cpus_per_trial: CPUs of a trial; with a fraction, trials share a CPU.
        gpus_per_trial: GPUs of a trial; with a fraction, trials share a GPU.
        mixed: with GPUs, also run trials on the CPUs that no trial on a GPU needs.
        max_concurrent: number of trials at once, at most; null for as many as fit.
        autoscale: request ``max_concurrent`` slots even if the cluster does not have them yet, so
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
            raise ValueError("autoscale needs max_concurrent, the size to which the cluster grows")
        return self

    def threads_per_trial(self) -> int:
        """Number of CPU threads that torch may use in a trial."""
        return max(1, int(self.cpus_per_trial))
