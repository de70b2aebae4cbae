"""The race at one T: which of the configurations that solved T solve it with any seed.

The candidates are the first trials of the ranking that solved T. In this order, each is trained
again with fresh seeds, until one of these trainings does not solve T: then it is out. Who solves T
with ``search.race_seeds`` seeds in a row, and none before, wins. Where nobody does, or before it is
known, the candidate with the best record wins: see :attr:`Candidate.solve_rate`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from search.config.sections import SearchConfig
from search.study.records import TrialRecord
from studies import format as files

PATIENCE = 2
"""A training of a race has lost after this many times the tokens with which its candidate solved T.
Of 73 trainings of winners with fresh seeds that solved T, 72 took less
(benchmarks/default_searches.csv)."""


@dataclass(frozen=True)
class Candidate:
    """A trial that solved T, and its trainings with fresh seeds, in the order of their start."""

    trial: TrialRecord
    trainings: Sequence[TrialRecord]

    @cached_property
    def running(self) -> list[TrialRecord]:
        """Its trainings that have not ended."""
        return [training for training in self.trainings if not training.ended]

    @cached_property
    def seeds(self) -> int:
        """How many seeds have told whether they solve T; a training that was cut off has not."""
        cut_off = sum(t.ended and t.status == files.INTERRUPTED for t in self.trainings)
        return len(self.trainings) - len(self.running) - cut_off

    @cached_property
    def solved(self) -> int:
        """How many of them solved T."""
        return sum(training.ended and training.solved for training in self.trainings)

    @property
    def is_out(self) -> bool:
        """Whether a training has not solved T."""
        return self.solved < self.seeds

    @property
    def solve_rate(self) -> float:
        """Laplace's estimate of the share of seeds that solve T: (solved + 1) / (seeds + 2)."""
        return (self.solved + 1) / (self.seeds + 2)


class Race:
    """How the race at one T stands.

    Args:
        trials: the evaluated ones of the search at T, the best first.
        solvers: those of them that solved T, in the same order.
        trainings: of the race.

    Attributes:
        candidates: in the order in which they race: the first ``search.race_candidates`` of the
            ranking, and whoever was raced before.
    """

    def __init__(
        self,
        trials: Sequence[TrialRecord],
        solvers: Sequence[TrialRecord],
        trainings: Sequence[TrialRecord],
        search: SearchConfig,
    ):
        self._trials, self._seeds = trials, search.race_seeds
        raced = {training.confirms for training in trainings}
        most = search.race_candidates if search.race_seeds else 0
        self.candidates = [
            Candidate(trial, [t for t in trainings if t.confirms == trial.id])
            for place, trial in enumerate(solvers)
            if place < most or trial.id in raced
        ]

    @property
    def leader(self) -> Candidate | None:
        """Who needs more seeds now; None once the race is decided."""
        first = next((one for one in self.candidates if not one.is_out), None)
        return first if first and first.solved < self._seeds else None

    @property
    def ahead(self) -> Candidate | None:
        """Who has the best record so far, of equal ones the first; None without candidates."""
        return max(self.candidates, key=lambda one: one.solve_rate, default=None)

    @property
    def winner(self) -> TrialRecord | None:
        """The trial of that candidate; without candidates, the first of the ranking."""
        return self.ahead.trial if self.ahead else next(iter(self._trials), None)

    def record_of(self, trial: TrialRecord) -> Candidate | None:
        """How the configuration of a best trial has raced; None if no seed has told yet.

        Args:
            trial: one of the search, or the final training, which repeats who is ahead.
        """
        same = (one for one in self.candidates if one.trial is trial)
        found = self.ahead if trial.stage == files.FINAL else next(same, None)
        return found if found and found.seeds else None


def has_lost(candidate: TrialRecord, tokens: int, accuracy: float) -> bool:
    """Whether a training of the candidate has had enough tokens to solve T, and is not about to.

    Args:
        tokens: that it has trained on.
        accuracy: at T, of its last evaluation. The first of the two that solve T counts.
    """
    assert candidate.tokens_to_solve is not None
    enough = tokens >= PATIENCE * candidate.tokens_to_solve
    return enough and accuracy < files.SOLVED_ACCURACY
