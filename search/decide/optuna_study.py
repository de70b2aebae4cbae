"""One Optuna study in memory, kept equal to the trials that the search knows."""

from collections.abc import Mapping
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.trial import FrozenTrial

from search.decide.limited_storage import LimitedStorage


class OptunaStudy:
    """An Optuna study of one T."""

    def __init__(self, storage: LimitedStorage, T: int):
        self._storage = storage
        self.study = optuna.create_study(storage=storage, study_name=f"T={T}", direction="maximize")
        self._id = storage.get_study_id_from_name(f"T={T}")

    def fill(self, count: int, trials: Mapping[int, FrozenTrial]) -> None:
        """See :meth:`LimitedStorage.fill`."""
        self._storage.fill(self._id, count, trials)

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
        if not self._storage.is_live(number):
            return
        trial_id = self._storage.get_trial_id_from_study_id_trial_number(self._id, number)
        actual = self._storage.get_trial(trial_id)
        for step, value in expected.intermediate_values.items():
            if step not in actual.intermediate_values:
                self._storage.set_trial_intermediate_value(trial_id, step, value)
        if expected.state.is_finished():
            self._storage.set_trial_state_values(trial_id, expected.state, expected.values)
