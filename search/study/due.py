"""What a study has still to train once its searches are over."""

from typing import TYPE_CHECKING

from search.study.records import TrialRecord

if TYPE_CHECKING:
    from search.study.history import History


def final_is_due(history: "History", T: int) -> bool:
    """Whether the final training at T is still to begin."""
    length = history.lengths[T]
    wanted = history.config.search.final and length.final is None
    if not wanted or length.live or history.race_is_left(T):
        return False
    return history.winner(T) is not None


def confirmation_is_due(history: "History", T: int) -> TrialRecord | None:
    """The winner at T, if a confirmation of it is still to begin."""
    length, wanted = history.lengths[T], history.config.search.confirm_seeds
    if not wanted or length.live or history.race_is_left(T) or final_is_due(history, T):
        return None  # another trial may still become the winner
    if T not in history.config.T and not history.solvers(T):
        return None  # where the study stopped: to fail there again is costly, and no news
    if length.final and not length.final.ended:
        return None
    winner = history.winner(T)
    if winner and sum(t.confirms == winner.id for t in length.confirmations) < wanted:
        return winner
    return None


def training_is_left(history: "History", T: int) -> bool:
    """Whether a race, final training or confirmation at T, whose search is over, is left."""
    due = final_is_due(history, T) or confirmation_is_due(history, T)
    return bool(history.race_is_left(T) or due or history.lengths[T].unfinished())
