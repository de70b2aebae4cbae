"""What ends the search at a T, but for budgets: so many trials, solved ones, or no gain."""

from typing import TYPE_CHECKING

from search.config.algorithms import SAMPLERS
from search.config.sections import METRIC_NAMES
from search.study.reach import does_not_fit

if TYPE_CHECKING:
    from search.study.history import History


def reached_limit(history: "History", T: int) -> str:
    """The limit in :class:`SearchConfig` that the search at T has reached; empty if none.

    The budgets, which it shares with other T, are left to
    :class:`search.decide.budget.LengthProgress`.
    """
    search, length = history.config.search, history.lengths[T]
    if length.solved >= search.solved_trials:
        return "solved_trials"
    if not length.live and not length.waiting and is_full(history, T):
        return "trials"
    stale = search.patience is not None and length.stale >= search.patience
    if stale and not length.is_ahead(METRIC_NAMES[search.metric]):
        return "patience"
    if does_not_fit(history, T) and not length.live:
        return "reach"
    return ""


def most_trials(history: "History") -> int:
    """The number of trials at each T, at most: a limit, or the number of points of a grid."""
    search = history.config.search
    on_grid = SAMPLERS[search.sampler].on_grid
    return min(search.trials, history.space.grid_size) if on_grid else search.trials


def is_full(history: "History", T: int) -> bool:
    """Whether the search at T may start no further trial; of a grid, each point was tried then."""
    trials, most = history.lengths[T].trials, most_trials(history)
    if len(trials) < most or len(trials) >= history.config.search.trials:
        return len(trials) >= most
    space = history.space
    return len({tuple(space.searched(t.hyperparameters).items()) for t in trials}) >= most
