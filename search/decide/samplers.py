"""Chooses the next configuration: asks Optuna, and tells it how each trial ended.

Ray's OptunaSearch tells Optuna that a trial which ASHA stopped is COMPLETE, with its last value,
which TPE takes for the trial's final quality. Here such a trial is PRUNED, with all its
intermediate values.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import optuna
from optuna.distributions import FloatDistribution
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

from copytask import TrainingConfig
from search.config.algorithms import SAMPLERS
from search.config.sections import METRIC_NAMES
from search.config.space import Scalar, flat_values
from search.decide.limited_storage import SHOWN_TRIALS, LimitedStorage
from search.decide.optuna_study import OptunaStudy
from search.study.records import TrialRecord
from search.study.study import Study
from studies import format as files

TRIAL_ID = "trial_id"
"""The user attribute of an Optuna trial that names ours."""

STATES = {
    files.COMPLETED: TrialState.COMPLETE,
    files.STOPPED_EARLY: TrialState.PRUNED,
    files.FAILED: TrialState.FAIL,
}


class Sampler:
    """Asks Optuna for configurations at one T, and tells it how their trials ended.

    It asks a study in memory, built from the trials that the search knows. It keeps a copy in
    Optuna's journal in the study directory, which optuna and optuna-dashboard can open at any time.
    The search never depends on that file: if a killed search left something out, the next run adds
    it.

    Each T has its own Optuna study, because a configuration scores lower at a larger T.

    Call :meth:`catch_up` first. Every method raises OSError if the journal cannot be written.

    Args:
        journal: Optuna's journal in the study directory.
    """

    def __init__(self, study: Study, T: int, journal: BaseStorage):
        self._study = study
        self._config = study.config
        self._metric = METRIC_NAMES[self._config.search.metric]
        self._T = T
        self._distributions = {
            name: dimension.distribution() for name, dimension in self._config.dimensions().items()
        }
        self._numbers: dict[str, int] = {}  # our trial id -> Optuna's trial number
        # If TPE saw fewer than its startup trials, it would sample at random for good.
        shown = max(SHOWN_TRIALS, self._config.search.startup_trials)
        self._memory = OptunaStudy(LimitedStorage(shown), T)
        self._journal = OptunaStudy(journal, T)

    def catch_up(self) -> None:
        """Tell Optuna about the trials that exist already."""
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        trials = self._study.history.lengths[self._T].trials
        self._numbers = {trial.id: number for number, trial in enumerate(trials)}
        known = [self._freeze(trial) for trial in trials]
        for side in (self._memory, self._journal):
            side.catch_up(known)

    def ask(self, initial: Sequence[Mapping[str, Scalar]]) -> tuple[str, TrainingConfig]:
        """The name and the training of the next trial.

        The first trials take the ``initial`` configurations unchanged. Each trial has its own seed
        of the sampler, so that a restart does not change the suggestions.
        """
        number = len(self._numbers)
        seed = trial_seed(self._config.search.seed, self._T, number)
        if number < len(initial):
            self._memory.study.enqueue_trial(dict(initial[number]))
        search = self._config.search
        sampler = SAMPLERS[search.sampler](seed=seed, startup_trials=search.startup_trials)
        self._memory.study.sampler = sampler
        sample = self._memory.study.ask(self._distributions).params
        training = self._config.training_config(self._T, sample, seed)
        self._memory.set_params(
            number, self._params(flat_values(training.to_dict())), self._distributions
        )
        return f"T{self._T}-{number:04d}", training

    def started(self, trial: TrialRecord) -> None:
        """The trial that the last :meth:`ask` named has started."""
        self._numbers[trial.id] = len(self._numbers)
        self._journal.study.add_trial(self._freeze(trial))

    def reported(self, trial: TrialRecord) -> None:
        """The trial has reported an iteration, or has ended."""
        number, expected = self._numbers[trial.id], self._freeze(trial)
        for side in (self._memory, self._journal):
            side.update(number, expected)

    def _params(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The hyperparameters of a training as Optuna sees them: those of a range as floats."""
        return {
            name: float(values[name]) if isinstance(distribution, FloatDistribution)
            else values[name]
            for name, distribution in self._distributions.items()
        }  # fmt: skip

    def _freeze(self, trial: TrialRecord) -> FrozenTrial:
        """The trial as Optuna sees it."""
        values = {point.iteration: getattr(point, self._metric) for point in trial.curve}
        state = STATES.get(trial.status, TrialState.FAIL if trial.ended else None)
        last = list(values.values())[-1:]
        return optuna.trial.create_trial(
            state=state or TrialState.RUNNING,
            value=last[0] if last and state in (TrialState.COMPLETE, TrialState.PRUNED) else None,
            params=self._params(trial.hyperparameters),
            distributions=self._distributions,
            intermediate_values=values,
            user_attrs={TRIAL_ID: trial.id},
        )


def trial_seed(study_seed: int, T: int, number: int) -> int:
    """A seed below 2**29 that depends on study, T and trial (a Weyl-like integer mix)."""
    return (study_seed * 1_000_003 + T * 8_191 + number * 131_071) % 2**29
