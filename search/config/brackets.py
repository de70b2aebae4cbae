"""The brackets of Hyperband: which trial may be stopped after how many iterations first.

ASHA stops weak trials at rungs: after ``grace_iterations``, and after each ``reduction_factor``
times as many. A trial that learns slowly at first is lost at the first of them. Hyperband divides
the trials into brackets: the first has all rungs, each further one begins at the next rung.

Source: Li et al., "Hyperband: A Novel Bandit-Based Approach to Hyperparameter Optimization", 2018,
algorithm 1, which gives n of its brackets the share ceil(n / (s + 1) * eta ** s), s = n - 1 ... 0.
"""

import math
import zlib
from collections.abc import Sequence


def grace_periods(max_iterations: int, grace_iterations: int, reduction_factor: float) -> list[int]:
    """Iterations before a trial may be stopped, of each bracket; there is at least one.

    Args:
        max_iterations: iterations of a trial that spends its whole budget.
        grace_iterations, reduction_factor: as in :class:`search.config.sections.SearchConfig`.
    """
    first = min(grace_iterations, max_iterations)
    periods = [first]
    while (rung := first * reduction_factor ** len(periods)) < max_iterations:
        periods.append(math.ceil(rung))
    return periods


def bracket_of(trial_id: str, periods: Sequence[int], reduction_factor: float) -> int:
    """The number of the bracket of a trial. It depends on the trial's name alone.

    So a search that is restarted has each trial in its bracket, and brackets fill in an order of
    chance.
    """
    count = len(periods)
    shares = [math.ceil(count / (s + 1) * reduction_factor**s) for s in reversed(range(count))]
    place = zlib.crc32(trial_id.encode()) % sum(shares)
    return next(number for number in range(count) if place < sum(shares[: number + 1]))
