"""Which trial of a search is the better one: the only place that says so.

What is sought is a configuration that solves T soon, with any seed. So trials that solved T come
first, the one with the fewest tokens to solve at their head: the accuracy at which a training ends
is a figure on a sample, and says little about the next seed.
"""

from collections.abc import Callable, Iterable

from search.study.records import TrialRecord

Place = tuple[float, ...]
"""What trials are sorted by; the least comes first."""


def ranked(trials: Iterable[TrialRecord], by: str) -> list[TrialRecord]:
    """The trials at one T that were evaluated and did not fail, the best first.

    Of equal ones, the first in ``trials`` comes first.

    Args:
        by: one of :data:`RANKINGS`.
    """
    return sorted(filter(_is_ranked, trials), key=RANKINGS[by])


def best_of(trials: Iterable[TrialRecord], by: str) -> TrialRecord | None:
    """The first of :func:`ranked`, in less time; None if there is none."""
    return min(filter(_is_ranked, trials), key=RANKINGS[by], default=None)


def _is_ranked(trial: TrialRecord) -> bool:
    return bool(trial.curve) and not trial.failed


def _by_tokens_to_solve(trial: TrialRecord) -> Place:
    """Tokens to solve T; then, and for those that have not solved it, see :func:`_by_accuracy`."""
    return _tokens_to_solve(trial), *_by_accuracy(trial)


def _by_accuracy(trial: TrialRecord) -> Place:
    """Validation accuracy at T, at the best evaluation; then tokens to solve, then tokens."""
    accuracy, tokens = trial.validation_accuracy, trial.tokens
    assert accuracy is not None
    assert tokens is not None
    return -accuracy, _tokens_to_solve(trial), tokens


def _tokens_to_solve(trial: TrialRecord) -> float:
    solved = trial.tokens_to_solve
    return float("inf") if solved is None else solved


RANKINGS: dict[str, Callable[[TrialRecord], Place]] = {
    "tokens_to_solve": _by_tokens_to_solve,
    "accuracy": _by_accuracy,
}
"""``search.rank_by`` -> what it sorts trials by. Studies of earlier versions have ``accuracy``."""
