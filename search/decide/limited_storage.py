"""Optuna's trials in memory, of which a sampler is shown at most a fixed number.

A suggestion of TPE (Bergstra et al., "Algorithms for Hyper-Parameter Optimization", 2011) takes
time in proportion to the trials that it sees, because it puts a kernel on each of them.
"""

import copy
from bisect import insort
from collections.abc import Container, Sequence
from typing import Any

from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial, TrialState

GOOD_TRIALS = 25
"""Trials that TPE calls good at most: a tenth of those it sees, up to this number (its gamma)."""


class LimitedStorage(InMemoryStorage):
    """One Optuna study in memory that shows a sampler at most ``shown`` finished trials.

    With more of them, it shows the good ones, the latest of the others, and the running trials.
    So TPE's density of good trials is exact; only its density of bad trials, in which older trials
    count less, rests on fewer (``benchmarks/limited_tpe.py`` measures the effect on the search).
    Which trials are shown does not depend on the order in which they ended.

    Args:
        shown: finished trials to show at most; more than GOOD_TRIALS.
        keeps_notes: whether samplers may keep notes on trials. A storage that is built again after
            a restart lacks them.
    """

    def __init__(self, shown: float, keeps_notes: bool = True):
        super().__init__()
        self._shown = shown
        self._keeps_notes = keeps_notes
        self._good: list[FrozenTrial] = []  # the best first
        self._others: list[int] = []  # numbers of the other finished trials, ascending
        self._live: set[int] = set()  # numbers of the trials that have not ended

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        trial_id = super().create_new_trial(study_id, template_trial)
        self._sort_in(self.get_trial(trial_id))
        return trial_id

    def set_trial_state_values(
        self, trial_id: int, state: TrialState, values: Sequence[float] | None = None
    ) -> bool:
        changed = super().set_trial_state_values(trial_id, state, values)
        self._sort_in(self.get_trial(trial_id))
        return changed

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        if self._keeps_notes:
            super().set_trial_system_attr(trial_id, key, value)

    def _sort_in(self, trial: FrozenTrial) -> None:
        if not trial.state.is_finished():
            self._live.add(trial.number)
            return
        self._live.discard(trial.number)
        if trial.state != TrialState.FAIL:
            insort(self._good, trial, key=tpe_order)
            for other in self._good[GOOD_TRIALS:]:
                insort(self._others, other.number)
            del self._good[GOOD_TRIALS:]

    def get_all_trials(
        self,
        study_id: int,
        deepcopy: bool = True,
        states: Container[TrialState] | None = None,
    ) -> list[FrozenTrial]:
        """The trials that are shown, in the order of their numbers."""
        if len(self._good) + len(self._others) <= self._shown:
            return super().get_all_trials(study_id, deepcopy, states)
        trials = super().get_all_trials(study_id, deepcopy=False)
        latest = self._others[len(self._good) - int(self._shown) :]
        numbers = sorted([*(trial.number for trial in self._good), *latest, *self._live])
        shown = [trials[n] for n in numbers if states is None or trials[n].state in states]
        return copy.deepcopy(shown) if deepcopy else shown


def tpe_order(trial: FrozenTrial) -> tuple[float, ...]:
    """The key by which TPE sorts finished trials, best first, where larger values are better.

    Completed trials come first, by their value; then those stopped early, by how far they went
    and by their value there.
    """
    if trial.state == TrialState.COMPLETE:
        assert trial.value is not None
        return 0, 0, -trial.value, trial.number
    step, value = max(trial.intermediate_values.items())
    return 1, -step, -value, trial.number
