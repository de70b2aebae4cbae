"""One Optuna study in one storage, kept equal to the trials that the search knows."""

from collections.abc import Mapping, Sequence
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial


class OptunaStudy:
    """An Optuna study of one T; trials are added in the order of their numbers.

    Call :meth:`catch_up` first: it creates the study, or loads it from the storage.
    """

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
        """Replace the sampled parameters of the running trial of this number."""
        trial_id = self._storage.get_trial_id_from_study_id_trial_number(self._id, number)
        for name, value in params.items():
            internal = distributions[name].to_internal_repr(value)
            self._storage.set_trial_param(trial_id, name, internal, distributions[name])

    def update(self, number: int, expected: FrozenTrial) -> None:
        """Add what the trial of this number lacks: values, and its ending."""
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
    """Whether Optuna cannot turn the trial in its storage into the expected one.

    Optuna never reopens a trial that has ended, so a failed trial that runs again must be
    rewritten. So must a trial of an earlier version, which sampled whole numbers from an
    IntDistribution.
    """
    ended = written.state.is_finished()
    return (ended and written.state != expected.state) or (
        written.distributions != expected.distributions
    )
