"""What the search at each T may take of the budgets, and how far a study is."""

import math

from search.study.due import confirmation_is_due, final_is_due
from search.study.limits import most_trials, reached_limit
from search.study.listener import Progress
from search.study.reach import beyond
from search.study.records import TrialRecord
from search.study.study import Study


def share_of_budget(T: int, later: list[int]) -> float:
    """The share of what is left of a budget that the search at T may take, before these later T.

    Shares are proportional to T**0.25, since the tokens that a good trial needs grow about as
    slowly with T. What one T does not use goes to the later ones.
    """
    weights = [math.sqrt(math.sqrt(t)) for t in (T, *later)]
    return weights[0] / sum(weights)


class LengthProgress:
    """Limits and progress of the search while one T is searched.

    Attributes:
        T: the length that is searched.
    """

    def __init__(self, study: Study, T: int):
        self._study = study
        self.T = T
        self._began = study.history.lengths[T].began or 0.0
        search = study.config.search
        minutes, tokens = search.search_minutes, search.search_tokens
        self._budget = math.inf if minutes is None else 60 * minutes
        self._began_tokens = study.history.lengths[T].began_tokens
        self._tokens = math.inf if tokens is None else tokens

    @property
    def deadline(self) -> float:
        """When the search at T must end, on the clock of :meth:`Study.searched`.

        Infinite without a budget. An interruption does not move it: it depends only on when T
        began, and at the last T on whether it is solved. Then the double of it needs a share.
        """
        return self._began + (self._budget - self._began) * self._share

    @property
    def most_tokens(self) -> float:
        """The tokens of the study at which the search at T must end; likewise."""
        return self._began_tokens + (self._tokens - self._began_tokens) * self._share

    @property
    def _share(self) -> float:
        history = self._study.history
        later = [t for t in history.lengths if t > self.T and not history.is_over(t)]
        if history.last == self.T and (further := beyond(history)):
            later.append(further)
        return share_of_budget(self.T, later)

    def reached_limit(self) -> str:
        """The limit that the search at T has reached, its budgets included; empty if none."""
        if limit := reached_limit(self._study.history, self.T):
            return limit
        if self._study.searched() >= self.deadline:
            return "budget_minutes"
        return "budget_tokens" if self._study.history.tokens >= self.most_tokens else ""

    def now(self) -> Progress:
        """How far the search at all T is."""
        search = self._study.config.search
        lengths = list(self._study.history.lengths)
        length = self._study.history.lengths[self.T]
        elapsed, tokens = self._study.searched(), self._study.history.tokens
        done = max(
            (len(length.trials) - len(length.live)) / most_trials(self._study.history),
            length.solved / search.solved_trials,
            length.stale / search.patience if search.patience else 0.0,
            (elapsed - self._began) / max(self.deadline - self._began, 1.0),
            (tokens - self._began_tokens) / max(self.most_tokens - self._began_tokens, 1.0),
        )
        here = 1.0 if self._study.history.is_over(self.T) else min(0.99, done)
        fraction = (lengths.index(self.T) + here) / len(lengths)
        if search.reach and math.isfinite(min(self._budget, self._tokens)):
            # How many T it will be is not known.
            fraction = min(0.99, max(elapsed / self._budget, tokens / self._tokens))
        projected = elapsed * (1 - fraction) / fraction if fraction > 0 else math.inf
        left = min(max(0.0, self._budget - elapsed), projected)
        return Progress(self._study.elapsed(), fraction, left)


class TrainingProgress:
    """How far failed trials that run again, final trainings and confirmations are."""

    def __init__(self, study: Study):
        self._study = study
        self._again = [t for length in study.history.lengths.values() for t in length.live.values()]
        self._began = study.elapsed()
        self._before = self._fraction()

    def now(self) -> Progress:
        """How far all of them are; the time left is that at the pace of this run."""
        elapsed, fraction = self._study.elapsed(), self._fraction()
        gained = fraction - self._before
        left = (elapsed - self._began) * (1 - fraction) / gained if gained > 0 else math.inf
        return Progress(elapsed, fraction, left)

    def _fraction(self) -> float:
        """Share of the tokens; what is still to begin takes as many as its like."""
        study, parts = self._study, list(map(spent, self._again))
        for T, length in study.history.lengths.items():
            parts += [spent(trial) for trial in (length.final, *length.confirmations) if trial]
            winner = confirmation_is_due(study.history, T)
            begun = sum(
                winner is not None and t.confirms == winner.id for t in length.confirmations
            )
            wanted = study.config.search.confirm_seeds
            final = final_is_due(study.history, T)
            parts += [0.0] * (final + (wanted - begun if winner else 0))
        return sum(parts) / len(parts) if parts else 1.0


def spent(trial: TrialRecord) -> float:
    """The share of its tokens that a trial has trained on; 1 once it has ended."""
    if trial.ended:
        return 1.0
    share: float = (trial.tokens or 0) / trial.training["max_tokens"]
    return min(1.0, share)
