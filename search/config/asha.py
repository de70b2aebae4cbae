"""Ray's ASHA, whose decisions take no longer in a long search."""

import math
from bisect import insort
from typing import Any

from ray.tune.experiment import Trial
from ray.tune.schedulers import ASHAScheduler


class Rung:
    """What trials had at one rung. Ray sees it as the dict from trials to values that it keeps.

    It keeps the values in order, and the trials only until they have ended.

    Attributes:
        values: ascending.
    """

    def __init__(self) -> None:
        self.values: list[float] = []
        self._trials: set[str] = set()

    def __contains__(self, trial_id: str) -> bool:
        return trial_id in self._trials

    def __setitem__(self, trial_id: str, value: float) -> None:
        self._trials.add(trial_id)
        if not math.isnan(value):
            insort(self.values, value)

    def forget(self, trial_id: str) -> None:
        """The trial has ended; its value counts further."""
        self._trials.discard(trial_id)


class Asha(ASHAScheduler):
    """Ray's ASHA with one bracket: the same decisions, without a sort of all values for each.

    Args:
        settings: as of Ray's.
    """

    def __init__(self, **settings: Any):
        super().__init__(brackets=1, **settings)
        [self._bracket] = self._brackets
        self._bracket._rungs = [(milestone, Rung()) for milestone, _ in self._bracket._rungs]
        share = 1 - 1 / self._reduction_factor
        self._bracket.cutoff = lambda rung: percentile(rung.values, share)

    def on_trial_add(self, tune_controller: Any, trial: Trial) -> None:
        """Ray would draw one of the brackets."""
        self._trial_info[trial.trial_id] = self._bracket

    def on_trial_remove(self, tune_controller: Any, trial: Trial) -> None:
        """Forget a trial that has ended, but not what it had at the rungs."""
        self._trial_info.pop(trial.trial_id, None)
        for _, rung in self._bracket._rungs:
            rung.forget(trial.trial_id)

    @property
    def rungs(self) -> list[tuple[float, list[float]]]:
        """The iterations of each rung, descending, and the values that came to it, ascending."""
        return [(milestone, rung.values) for milestone, rung in self._bracket._rungs]


def percentile(values: list[float], share: float) -> float | None:
    """numpy's percentile of ascending values, interpolated to the last bit; None if there is none.

    Args:
        share: from 0 to 1.
    """
    if not values:
        return None
    # numpy is given percents
    place = (len(values) - 1) * (share * 100 / 100)
    below = int(place)
    low, high = values[below], values[min(below + 1, len(values) - 1)]
    above = place - below
    if above >= 0.5:
        return high - (high - low) * (1 - above)
    return low + (high - low) * above
