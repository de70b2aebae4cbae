"""Why ASHA or Hyperband stopped a trial: the rung, its value there, and what it had to reach."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from search.config.brackets import bracket_of, grace_periods
from search.config.sections import METRIC_NAMES
from search.config.study_config import StudyConfig
from search.study.history import History
from search.study.records import TrialRecord


class Stop(NamedTuple):
    """A trial that was stopped early.

    Attributes:
        iteration: that of the rung.
        value: of the search metric.
        needed: what the trial had to reach: of the trials that came to this rung before, about
            one in ``search.reduction_factor`` had it. None if there was none before.
    """

    iteration: int
    value: float
    needed: float | None


def stop_of(history: History, trial: TrialRecord) -> Stop:
    """Why a trial of the search whose status is ``stopped_early`` was stopped.

    The rungs follow from the results in the order in which they came, see
    :func:`search.decide.schedulers.restored_scheduler`. So they can be computed later.
    """
    search, length = history.config.search, history.lengths[trial.T]
    metric, last = METRIC_NAMES[search.metric], trial.curve[-1]
    before = length.arrivals.count_to(trial.number)
    numbers, iterations, values = length.arrivals.columns(before)
    at_rung = np.flatnonzero(iterations == last.iteration)
    if search.scheduler == "hyperband":  # the rungs of each bracket are its own
        bracket = bracket_of_each(history.config, trial.T)
        names = [length.trials[number].id for number in numbers[at_rung]]
        at_rung = at_rung[[bracket(name) == bracket(trial.id) for name in names]]
    earlier = values[at_rung]
    share = 100 * (1 - 1 / search.reduction_factor)
    needed = float(np.percentile(earlier, share)) if len(earlier) else None
    return Stop(last.iteration, getattr(last, metric), needed)


def bracket_of_each(config: StudyConfig, T: int) -> Callable[[str], int]:
    """The function from the name of a trial at T to its bracket of Hyperband."""
    search = config.search
    periods = grace_periods(
        config.max_iterations(T), search.grace_iterations, search.reduction_factor
    )
    return lambda trial_id: bracket_of(trial_id, periods, search.reduction_factor)
