"""Chooses the next configuration: asks Optuna, and tells it how each trial ended.

Ray's OptunaSearch tells Optuna that a trial which ASHA stopped is COMPLETE, with its last value,
which TPE takes for the trial's final quality. Here such a trial is PRUNED, with all its
intermediate values.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution
from optuna.trial import FrozenTrial, TrialState

from copytask import TrainingConfig
from search.config.algorithms import SAMPLERS
from search.config.dimensions import Scalar
from search.config.sections import METRIC_NAMES
from search.config.space import flat_values
from search.decide.limited_storage import LimitedStorage, needed, order_of
from search.decide.optuna_study import OptunaStudy
from search.study.optuna_journal import OptunaJournal, TrialProgress
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
STATES_WITHOUT_STOPS = STATES | {files.STOPPED_EARLY: TrialState.COMPLETE}
"""For a sampler that would ignore the trials that were stopped early."""


class Sampler:
    """Asks Optuna for configurations at one T, and tells it how their trials ended.

    It asks a study in memory, built from the trials that the search knows. It keeps a copy in
    Optuna's journal in the study directory, which optuna and optuna-dashboard can open at any time.
    The search never depends on that file: if a killed search left something out, the next run adds
    it.

    Each T has its own Optuna study, because a configuration scores lower at a larger T.

    Call :meth:`catch_up` first. Every method raises OSError if the journal cannot be written.

    Args:
        journal: Optuna's journal in the study directory, if there is one.
    """

    def __init__(self, study: Study, T: int, journal: OptunaJournal | None = None):
        self._study = study
        self._config = study.config
        self._metric = METRIC_NAMES[self._config.search.metric]
        self._T = T
        self._space = study.history.space
        self._kind = SAMPLERS[self._config.search.sampler]
        self._distributions = {
            name: CategoricalDistribution(dimension.values()) if self._kind.on_grid
            else dimension.distribution()
            for name, dimension in self._space.dimensions.items()
        }  # fmt: skip
        # If a sampler saw fewer than its startup trials, it would sample at random for good.
        self._shown = max(self._kind.shown, self._config.search.startup_trials)
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._memory = OptunaStudy(LimitedStorage(self._shown, self._kind.keeps_notes), T)
        self._journal = journal
        # How the sampler is told of an ending.
        self._states = STATES if self._kind.tells_stopped else STATES_WITHOUT_STOPS

    def catch_up(self) -> None:
        """Tell Optuna about the trials that exist already: as many as it needs."""
        trials = self._trials
        if self._kind.keeps_notes:
            self._ask_again(trials)
            for trial in trials:
                self._memory.update(trial.number, self._shown_as(trial))
        else:
            running = (trial.number for trial in trials if not trial.ended)
            numbers = [*running, *needed(self._finished(), self._shown)]
            self._memory.fill(len(trials), {n: self._shown_as(trials[n]) for n in sorted(numbers)})
        if self._journal:
            progress = [TrialProgress(state_of(trial), len(trial.curve)) for trial in trials]
            self._journal.catch_up(
                self._T, progress, self._distributions, lambda number: self._freeze(trials[number])
            )

    @property
    def _trials(self) -> list[TrialRecord]:
        return self._study.history.lengths[self._T].trials

    def _finished(self) -> dict[int, tuple[float, ...]]:
        """The order of the trials that have ended, without failed ones, for the sampler."""
        finished = {}
        for trial in self._trials:
            state = state_of(trial, self._states)
            if state in (TrialState.COMPLETE, TrialState.PRUNED):
                iteration = trial.curve.value(-1, "iteration")
                value = trial.curve.value(-1, self._metric)
                finished[trial.number] = order_of(state, iteration, value, trial.number)
        return finished

    def _ask_again(self, trials: Sequence[TrialRecord]) -> None:
        """Ask for each trial when as many had ended as did then; the notes on it are the same."""
        length = self._study.history.lengths[self._T]
        told = 0
        for number, trial in enumerate(trials):
            for ended in length.endings[told : trial.known]:
                self._memory.update(ended.number, self._shown_as(ended))
            told = max(told, trial.known)
            self._suggest(number, length.initial)
            self._memory.set_params(
                number, self._params(trial.hyperparameters), self._distributions
            )

    def ask(self, initial: Sequence[Mapping[str, Scalar]]) -> tuple[str, TrainingConfig]:
        """The name and the training of the next trial.

        The first trials take the ``initial`` configurations unchanged. Each trial has its own seed
        of the sampler, so that a restart does not change the suggestions.
        """
        number = len(self._trials)
        sample = self._suggest(number, initial)
        training = self._config.training_config(self._T, sample, self._seed(number))
        self._memory.set_params(
            number, self._params(flat_values(training.to_dict())), self._distributions
        )
        return f"T{self._T}-{number:04d}", training

    def started(self, trial: TrialRecord) -> None:
        """The trial that the last :meth:`ask` named has started."""
        if self._journal:
            self._journal.start(self._T, trial.number, self._freeze(trial))

    def reported(self, trial: TrialRecord) -> None:
        """The trial has reported an iteration, or has ended."""
        if trial.ended:  # of a running trial a sampler looks at the hyperparameters only
            self._memory.update(trial.number, self._shown_as(trial))
        if self._journal:
            self._journal.update(self._T, trial.number, self._freeze(trial))

    def _seed(self, number: int) -> int:
        return trial_seed(self._config.search.seed, self._T, number)

    def _suggest(self, number: int, initial: Sequence[Mapping[str, Scalar]]) -> dict[str, Any]:
        """What Optuna suggests for the trial: each hyperparameter whose condition holds."""
        if number < len(initial):
            self._memory.study.enqueue_trial(dict(initial[number]))
        self._memory.study.sampler = self._kind(
            seed=self._seed(number),
            startup_trials=self._config.search.startup_trials,
            space=None if self._space.conditional else self._distributions,
        )
        trial = self._memory.study.ask()
        sample: dict[str, Any] = {}
        values: dict[str, Any] = {}
        for name, dimension in self._space.dimensions.items():
            if self._space.is_searched(name, values):
                sample[name] = suggested(trial, name, self._distributions[name])
                values[name] = dimension.value_of(sample[name])
        return sample

    def _params(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The hyperparameters of a training as Optuna sees them: those of a range as floats."""
        return {
            name: float(value) if isinstance(self._distributions[name], FloatDistribution)
            else value
            for name, value in self._space.searched(values).items()
        }  # fmt: skip

    def _shown_as(self, trial: TrialRecord) -> FrozenTrial:
        """The trial as the sampler sees it."""
        return self._freeze(trial, self._states)

    def _freeze(self, trial: TrialRecord, states: Mapping[str, TrialState] = STATES) -> FrozenTrial:
        """The trial as Optuna sees it."""
        curve = trial.curve
        values = dict(zip(curve.column("iteration"), curve.column(self._metric), strict=True))
        state = state_of(trial, states)
        last = list(values.values())[-1:]
        params = self._params(trial.hyperparameters)
        return optuna.trial.create_trial(
            state=state,
            value=last[0] if last and state in (TrialState.COMPLETE, TrialState.PRUNED) else None,
            params=params,
            distributions={name: self._distributions[name] for name in params},
            intermediate_values=values,
            user_attrs={TRIAL_ID: trial.id},
        )


def state_of(trial: TrialRecord, states: Mapping[str, TrialState] = STATES) -> TrialState:
    """The state of a trial as Optuna sees it."""
    return states.get(trial.status, TrialState.FAIL if trial.ended else TrialState.RUNNING)


def suggested(trial: optuna.Trial, name: str, distribution: BaseDistribution) -> Any:
    """What Optuna suggests from a distribution."""
    if isinstance(distribution, CategoricalDistribution):
        return trial.suggest_categorical(name, distribution.choices)
    assert isinstance(distribution, FloatDistribution)
    return trial.suggest_float(name, distribution.low, distribution.high, log=distribution.log)


def trial_seed(study_seed: int, T: int, number: int) -> int:
    """A seed below 2**29 that depends on study, T and trial (a Weyl-like integer mix)."""
    return (study_seed * 1_000_003 + T * 8_191 + number * 131_071) % 2**29
