"""Which trial of a search is the better one: the only place that says so.

What is sought is a configuration that solves T soon, with any seed. So trials that solved T come
first, the one with the fewest tokens to solve at their head: the accuracy at which a training ends
is a figure on a sample, and says little about the next seed.
"""

from bisect import insort
from collections.abc import Callable, Iterable, Sequence

from search.study.records import TrialRecord

Place = tuple[float, ...]
"""What trials are sorted by; the least comes first."""

FEW = 0.02
"""Share of the trials up to which those that have changed are inserted one by one. To insert one
takes up to twenty places, of a microsecond or more each; to sort takes that of every trial."""


def ranked(trials: Iterable[TrialRecord], by: str) -> list[TrialRecord]:
    """The trials at one T that were evaluated and did not fail, the best first.

    Of equal ones, the one that started first comes first.

    Args:
        by: one of :data:`RANKINGS`.
    """
    return sorted(filter(_is_ranked, trials), key=RANKINGS[by])


class Ranking:
    """The order of :func:`ranked` at one T, kept while its trials change.

    A look sorts in only what has changed since the last one: a console looks twice a second, also
    at 100,000 trials.

    Args:
        by: as of :func:`ranked`.
    """

    def __init__(self, by: str):
        self._by = by
        self._ranked: list[TrialRecord] = []
        self._solvers: list[TrialRecord] = []
        self._changed: dict[str, TrialRecord] = {}

    def note(self, trial: TrialRecord) -> None:
        """A trial is new, or has changed."""
        self._changed[trial.id] = trial

    def trials(self) -> Sequence[TrialRecord]:
        """The trials that :func:`ranked` has, as they are now."""
        self._update()
        return self._ranked

    def solvers(self) -> Sequence[TrialRecord]:
        """Those of them that have solved T, in the same order."""
        self._update()
        return self._solvers

    def _update(self) -> None:
        if self._changed:
            changed = ranked(self._changed.values(), self._by)
            self._ranked = self._merged(self._ranked, changed)
            self._solvers = self._merged(self._solvers, [t for t in changed if t.solved])
            self._changed = {}

    def _merged(self, before: list[TrialRecord], changed: list[TrialRecord]) -> list[TrialRecord]:
        """What has not changed since before, and what has, in order."""
        same = [trial for trial in before if trial.id not in self._changed]
        if len(changed) > FEW * len(same):
            return ranked([*same, *changed], self._by)
        for trial in changed:
            insort(same, trial, key=RANKINGS[self._by])
        return same


def _is_ranked(trial: TrialRecord) -> bool:
    return bool(trial.curve) and not trial.failed


def _by_tokens_to_solve(trial: TrialRecord) -> Place:
    """Tokens to solve T; then, and for those that have not solved it, see :func:`_by_accuracy`."""
    return _tokens_to_solve(trial), *_by_accuracy(trial)


def _by_accuracy(trial: TrialRecord) -> Place:
    """Validation accuracy at T, at the best evaluation; tokens to solve; tokens; then who began."""
    accuracy, tokens = trial.validation_accuracy, trial.tokens
    assert accuracy is not None
    assert tokens is not None
    return -accuracy, _tokens_to_solve(trial), tokens, trial.number


def _tokens_to_solve(trial: TrialRecord) -> float:
    solved = trial.tokens_to_solve
    return float("inf") if solved is None else solved


RANKINGS: dict[str, Callable[[TrialRecord], Place]] = {
    "tokens_to_solve": _by_tokens_to_solve,
    "accuracy": _by_accuracy,
}
"""``search.rank_by`` -> what it sorts trials by. Studies of earlier versions have ``accuracy``."""
