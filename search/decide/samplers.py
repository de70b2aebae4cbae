"""Which configuration is tried next: Optuna, told what became of each trial.

Ray's own OptunaSearch tells Optuna that a trial which ASHA stopped is COMPLETE, with its last
value; TPE takes that for the trial's final quality. Here such a trial is PRUNED, with all its
intermediate values.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, FloatDistribution
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

from copytask import TrainingConfig
from search.config.algorithms import SAMPLERS
from search.config.sections import METRIC_NAMES
from search.config.space import Scalar
from search.decide.limited_storage import SHOWN_TRIALS, LimitedStorage
from search.study.history import TrialRecord
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
    """Asks Optuna for configurations at one T, and tells it what became of them.

    It asks a study in memory, built from what the search knows of its trials, and keeps a copy
    in Optuna's journal in the study directory, which optuna and optuna-dashboard can open at any
    time. The search itself never depends on that file: what is missing in it, because the search
    was killed, is added when it is opened.

    Each T has an Optuna study of its own, for a configuration scores lower at a larger T.

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
        """Tell Optuna of the trials that there are already."""
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        trials = self._study.history.lengths[self._T].trials
        self._numbers = {trial.id: number for number, trial in enumerate(trials)}
        known = [self._freeze(trial) for trial in trials]
        for side in (self._memory, self._journal):
            side.catch_up(known)

    def ask(self, initial: Sequence[Mapping[str, Scalar]]) -> tuple[str, TrainingConfig]:
        """The next trial's name and its training.

        The first trials take the ``initial`` configurations as they stand. The sampler is seeded
        for each trial, so that it suggests the same after a restart as without one.
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
        self._memory.set_params(number, self._params(training.to_dict()), self._distributions)
        return f"T{self._T}-{number:04d}", training

    def started(self, trial: TrialRecord) -> None:
        """The trial of the last :meth:`ask` has started under this name."""
        self._numbers[trial.id] = len(self._numbers)
        self._journal.study.add_trial(self._freeze(trial))

    def reported(self, trial: TrialRecord) -> None:
        """The trial has reported an iteration, or has ended."""
        number, expected = self._numbers[trial.id], self._freeze(trial)
        for side in (self._memory, self._journal):
            side.update(number, expected)

    def _params(self, training: Mapping[str, Any]) -> dict[str, Any]:
        """The hyperparameters of a training, as Optuna should see them: numbers as floats."""
        return {
            name: float(training[name]) if isinstance(distribution, FloatDistribution)
            else training[name]
            for name, distribution in self._distributions.items()
        }  # fmt: skip

    def _freeze(self, trial: TrialRecord) -> FrozenTrial:
        """The trial as Optuna should see it."""
        values = {point["iteration"]: point[self._metric] for point in trial.curve}
        state = STATES.get(trial.row["status"], TrialState.FAIL if trial.ended else None)
        last = list(values.values())[-1:]
        return optuna.trial.create_trial(
            state=state or TrialState.RUNNING,
            value=last[0] if last and state in (TrialState.COMPLETE, TrialState.PRUNED) else None,
            params=self._params(trial.training),
            distributions=self._distributions,
            intermediate_values=values,
            user_attrs={TRIAL_ID: trial.id},
        )


class OptunaStudy:
    """One Optuna study in one storage, to which trials are added in the order of their numbers."""

    study: optuna.Study
    _id: int

    def __init__(self, storage: BaseStorage, T: int):
        self._storage = storage
        self._name = f"T={T}"

    def _open(self) -> None:
        self.study = optuna.create_study(
            storage=self._storage, study_name=self._name, direction="maximize", load_if_exists=True
        )
        self._id = self._storage.get_study_id_from_name(self._name)

    def set_params(
        self,
        number: int,
        params: Mapping[str, Any],
        distributions: Mapping[str, BaseDistribution],
    ) -> None:
        """Replace what the running trial of this number was sampled with."""
        trial_id = self._storage.get_trial_id_from_study_id_trial_number(self._id, number)
        for name, value in params.items():
            internal = distributions[name].to_internal_repr(value)
            self._storage.set_trial_param(trial_id, name, internal, distributions[name])

    def update(self, number: int, expected: FrozenTrial) -> None:
        """Report and tell what the trial of this number lacks."""
        trial_id = self._storage.get_trial_id_from_study_id_trial_number(self._id, number)
        actual = self._storage.get_trial(trial_id)
        if actual.state.is_finished():
            return
        for step, value in expected.intermediate_values.items():
            if step not in actual.intermediate_values:
                self._storage.set_trial_intermediate_value(trial_id, step, value)
        if expected.state.is_finished():
            self._storage.set_trial_state_values(trial_id, expected.state, expected.values)

    def catch_up(self, expected: Sequence[FrozenTrial]) -> None:
        """Add what is missing of these trials, which are all that there are."""
        self._open()
        written = self._storage.get_all_trials(self._id, deepcopy=False)
        pairs = zip(written, expected, strict=False)
        if any(cannot_become(old, new) for old, new in pairs):
            self._storage.delete_study(self._id)
            self._open()
            written = []
        for number, trial in enumerate(expected):
            if number < len(written):
                self.update(number, trial)
            else:
                self.study.add_trial(trial)


def cannot_become(written: FrozenTrial, expected: FrozenTrial) -> bool:
    """Whether Optuna cannot make the trial in its storage the expected one.

    For Optuna a trial that has ended stays so: a failed one that runs again must be written anew.
    So must one of an earlier version, which sampled whole numbers as such.
    """
    ended = written.state.is_finished()
    return (ended and written.state != expected.state) or (
        written.distributions != expected.distributions
    )


def trial_seed(study_seed: int, T: int, number: int) -> int:
    """A seed below 2**29 that depends on study, T and trial (a Weyl-like integer mix)."""
    return (study_seed * 1_000_003 + T * 8_191 + number * 131_071) % 2**29
