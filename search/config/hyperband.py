"""An asynchronous Hyperband: a scheduler of its own for each bracket."""

from collections.abc import Callable, Sequence
from typing import Any

from ray.tune.experiment import Trial
from ray.tune.schedulers import FIFOScheduler, TrialScheduler

from search.config.brackets import bracket_of


class Hyperband(FIFOScheduler):
    """Asks the scheduler of the bracket that a trial is in.

    Args:
        make: makes the scheduler of a bracket from its grace period in iterations.
        periods, reduction_factor: as of :func:`search.config.brackets.bracket_of`.

    Attributes:
        brackets: the scheduler of each.
    """

    def __init__(
        self,
        make: Callable[[int], TrialScheduler],
        periods: Sequence[int],
        reduction_factor: float,
    ):
        super().__init__()
        self._periods = periods
        self._reduction_factor = reduction_factor
        self.brackets = [make(period) for period in periods]

    def _of(self, trial: Trial) -> TrialScheduler:
        return self.brackets[bracket_of(trial.trial_id, self._periods, self._reduction_factor)]

    def on_trial_add(self, tune_controller: Any, trial: Trial) -> None:
        self._of(trial).on_trial_add(tune_controller, trial)

    def on_trial_result(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> str:
        return str(self._of(trial).on_trial_result(tune_controller, trial, result))

    def on_trial_complete(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> None:
        self._of(trial).on_trial_complete(tune_controller, trial, result)

    def on_trial_remove(self, tune_controller: Any, trial: Trial) -> None:
        self._of(trial).on_trial_remove(tune_controller, trial)
