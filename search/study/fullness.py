"""How many trials the search at a T may have: a limit, or the number of points of a grid."""

from typing import TYPE_CHECKING

from search.config.algorithms import SAMPLERS

if TYPE_CHECKING:
    from search.study.history import History


def most_trials(history: "History") -> int:
    """The number of trials at each T, at most."""
    search = history.config.search
    on_grid = SAMPLERS[search.sampler].on_grid
    return min(search.trials, history.space.grid_size) if on_grid else search.trials


def is_full(history: "History", T: int) -> bool:
    """Whether the search at T may start no further trial; of a grid, each point was tried then."""
    trials, most = history.lengths[T].trials, most_trials(history)
    if most == history.config.search.trials or len(trials) < most:
        return len(trials) >= most
    space = history.space
    return len({tuple(space.searched(t.hyperparameters).items()) for t in trials}) >= most
