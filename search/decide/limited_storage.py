"""Optuna's trials in memory, of which a sampler needs, and is shown, at most a fixed number.

A suggestion of TPE (Bergstra et al., "Algorithms for Hyper-Parameter Optimization", 2011) takes
time in proportion to the trials that it sees, because it puts a kernel on each of them.
"""

import copy
import math
from bisect import insort
from collections.abc import Container, Iterable, Mapping, Sequence
from heapq import nsmallest
from typing import Any

from optuna.storages import InMemoryStorage
from optuna.trial import FrozenTrial, TrialState, create_trial

GOOD_TRIALS = 25
"""Trials that TPE calls good at most: a tenth of those it sees, up to this number (its gamma)."""

RUNNING_TRIALS = 100
"""Running trials that are shown at most. With more, TPE would spend most of its time on them: of a
thousand, the last hundred keep parallel trials apart as well (benchmarks/scale.py)."""

FORGOTTEN = create_trial(state=TrialState.FAIL)
"""Stands for the trials that are not kept."""


class LimitedStorage(InMemoryStorage):
    """One Optuna study in memory that keeps and shows at most ``shown`` finished trials.

    With more of them, it keeps the good ones, the latest of the others, and the running trials, of
    which it shows those that began last.
    So TPE's density of good trials is exact; only its density of bad trials, in which older trials
    count less, rests on fewer (``benchmarks/limited_tpe.py`` measures the effect on the search).
    Which trials are kept does not depend on the order in which they ended. Failed ones are not: no
    sampler looks at them.

    Args:
        shown: finished trials to keep at most, more than GOOD_TRIALS; infinite: it keeps all.
        keeps_notes: whether samplers may keep notes on trials. A storage that is built again after
            a restart lacks them.
    """

    def __init__(self, shown: float, keeps_notes: bool = True):
        super().__init__()
        self._shown = shown
        self._keeps_notes = keeps_notes
        self._good: list[FrozenTrial] = []  # the best first
        self._others: list[int] = []  # numbers of the others that are kept, ascending
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

    def fill(self, study_id: int, count: int, trials: Mapping[int, FrozenTrial]) -> None:
        """Begin an empty study with so many trials, of which only these, by number, are needed."""
        kept = self._studies[study_id].trials
        kept += [FORGOTTEN] * count
        self._max_trial_id = count - 1
        for number, trial in trials.items():
            kept[number] = trial
            trial.number = trial._trial_id = number
            self._trial_id_to_study_id_and_number[number] = (study_id, number)
            self._sort_in(trial)

    def is_live(self, number: int) -> bool:
        """Whether the trial of this number has not ended."""
        return number in self._live

    def _sort_in(self, trial: FrozenTrial) -> None:
        if not trial.state.is_finished():
            self._live.add(trial.number)
            return
        self._live.discard(trial.number)
        if math.isinf(self._shown):
            return
        if trial.state == TrialState.FAIL:
            self._forget(trial.number)
            return
        insort(self._good, trial, key=tpe_order)
        for other in self._good[GOOD_TRIALS:]:
            insort(self._others, other.number)
        del self._good[GOOD_TRIALS:]
        if len(self._good) + len(self._others) > self._shown:
            self._forget(self._others.pop(0))

    def _forget(self, number: int) -> None:
        [study] = self._studies.values()
        del self._trial_id_to_study_id_and_number[study.trials[number]._trial_id]
        study.trials[number] = FORGOTTEN

    def _update_cache(self, trial_id: int, study_id: int) -> None:
        """Optuna would remember the best trial, which no sampler asks for."""

    def get_all_trials(
        self,
        study_id: int,
        deepcopy: bool = True,
        states: Container[TrialState] | None = None,
    ) -> list[FrozenTrial]:
        """The trials that are kept, in the order of their numbers."""
        if math.isinf(self._shown):
            return super().get_all_trials(study_id, deepcopy, states)
        trials = self._studies[study_id].trials
        running = sorted(self._live)[-RUNNING_TRIALS:]
        numbers = sorted([*(trial.number for trial in self._good), *self._others, *running])
        shown = [trials[n] for n in numbers if states is None or trials[n].state in states]
        return copy.deepcopy(shown) if deepcopy else shown


def tpe_order(trial: FrozenTrial) -> tuple[float, ...]:
    """The key by which TPE sorts finished trials, best first, where larger values are better."""
    if trial.state == TrialState.COMPLETE:
        assert trial.value is not None
        return order_of(trial.state, 0, trial.value, trial.number)
    return order_of(trial.state, *max(trial.intermediate_values.items()), trial.number)


def order_of(state: TrialState, step: int, value: float, number: int) -> tuple[float, ...]:
    """See :func:`tpe_order`; the step and the value there are the trial's last ones.

    Completed trials come first, by their value; then those stopped early, by how far they went
    and by their value there.
    """
    complete = state == TrialState.COMPLETE
    return (0, 0, -value, number) if complete else (1, -step, -value, number)


def needed(finished: Mapping[int, tuple[float, ...]], shown: float) -> Iterable[int]:
    """The numbers of the finished trials that a :class:`LimitedStorage` keeps.

    Args:
        finished: number -> :func:`order_of`, without failed trials.
        shown: as of the storage.
    """
    if len(finished) <= shown:
        return finished
    good = nsmallest(GOOD_TRIALS, finished, key=finished.__getitem__)
    others = sorted(finished.keys() - set(good))
    return [*good, *others[len(good) - int(shown) :]]
