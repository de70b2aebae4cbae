"""Optuna's TPE, made fit for a search of thousands of trials.

A suggestion of TPE (Bergstra et al., "Algorithms for Hyper-Parameter Optimization", 2011) takes
time in proportion to the trials it knows: it puts a kernel on each of them.
"""

import copy
from bisect import insort
from collections.abc import Container, Mapping, Sequence
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial, TrialState

SHOWN_TRIALS = 500
"""Finished trials that TPE sees at most."""

GOOD_TRIALS = 25
"""Trials that TPE calls good at most: a tenth of those it sees, up to this number (its gamma)."""


class KnownSpaceTPE(optuna.samplers.TPESampler):
    """TPE for a space that is the same for all trials.

    Optuna's would find the space anew at each suggestion, as what all earlier trials have in
    common, which takes half of the time of a suggestion.

    Running trials count as bad ones (``constant_liar``, which Optuna 4 leaves off by default), so
    that parallel trials do not crowd at one place.
    """

    def __init__(self, space: Mapping[str, BaseDistribution], **settings: Any):
        super().__init__(multivariate=True, constant_liar=True, **settings)
        self._space = {name: d for name, d in space.items() if not d.single()}

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        return self._space


class LimitedStorage(InMemoryStorage):
    """One Optuna study in memory, of which a sampler is shown the trials that count.

    Those are, once there are more of them than are to be shown, the trials that run, all
    finished ones that TPE calls good, and the latest of the others. So its density of good
    trials is exact, and only that of the bad ones, in which a trial counts less the older it
    is, is made of fewer (``benchmarks/limited_tpe.py`` measures what that does to the search).
    What is shown depends on the trials alone, not on the order in which they ended.

    Args:
        shown: finished trials to show at most; more than GOOD_TRIALS.
    """

    def __init__(self, shown: int = SHOWN_TRIALS):
        super().__init__()
        self._shown = shown
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
        latest = self._others[len(self._good) - self._shown :]
        numbers = sorted([*(trial.number for trial in self._good), *latest, *self._live])
        shown = [trials[n] for n in numbers if states is None or trials[n].state in states]
        return copy.deepcopy(shown) if deepcopy else shown


def tpe_order(trial: FrozenTrial) -> tuple[float, ...]:
    """What TPE sorts finished trials by, the best first, where larger values are better.

    Completed ones by their value; then those that were stopped early, by how far they went and
    by their value there.
    """
    if trial.state == TrialState.COMPLETE:
        assert trial.value is not None
        return 0, 0, -trial.value, trial.number
    step, value = max(trial.intermediate_values.items())
    return 1, -step, -value, trial.number
