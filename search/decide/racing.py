"""Races the configurations that solved T, at all T side by side: see :mod:`search.study.race`.

They race after the search at the last T, in what it leaves of the budgets. At each T
one training runs after the other: only where slots are free, several of the same candidate run at a
time. So a candidate that is out has cost few trainings that it did not need.
"""

import math

from search.decide.fresh_seeds import FOR_RACES, fresh_seed
from search.study.listener import Listener, Progress
from search.study.race import Candidate
from search.study.records import TrialRecord
from search.study.study import Study
from studies import format as files


class Racing:
    """Takes the steps of the races of a study.

    Every method that takes one raises OSError if the study cannot be written.
    """

    def __init__(self, study: Study, listener: Listener):
        self._study = study
        self._history = study.history
        self._listener = listener
        self._began = 0.0  # when this run began to race, on the clock of Study.elapsed

    @property
    def _deadline(self) -> float:
        """When racing must end, on the clock of :meth:`Study.searched`."""
        minutes = self._study.config.search.budget_minutes
        return math.inf if minutes is None else 60 * minutes

    def _reached_limit(self) -> str:
        """The budget that is used up; empty if none is."""
        if self._study.searched() >= self._deadline:
            return "budget_minutes"
        most = self._study.config.search.budget_tokens
        return "budget_tokens" if most is not None and self._history.tokens >= most else ""

    def begin(self) -> bool:
        """Let the candidates race, or race on; False if there is nothing to race for."""
        history = self._history
        if not history.racing:
            again = any(length.live for length in history.lengths.values())
            if again or not any(map(history.race_is_left, history.lengths)):
                return False  # a failed trial that runs again may become a candidate
            self._study.begin_racing()
        self._began = self._study.elapsed()
        self._listener.racing_began(self._deadline - self._study.searched())
        return True

    def advance(self) -> bool:
        """Take the steps that are due; whether racing has ended with them."""
        study, history = self._study, self._history
        if not history.racing:
            self.begin()
            return False
        for T in history.lengths:
            for candidate in history.race(T).candidates:
                for training in candidate.running if candidate.is_out else ():
                    study.cut_off(training)
        left = [T for T in history.lengths if history.race_is_left(T)]
        limit = self._reached_limit()
        if left and not limit:
            return False
        study.end_racing(limit if left else "")
        for T in left:
            self._listener.race_ended(T)
        return True

    def next_training(self) -> TrialRecord | None:
        """Start the next training of a race; None if none is due.

        It is one of the T where the fewest trainings run, and of these the largest, where a race
        takes longest.
        """
        history = self._history
        if not history.racing:
            return None
        due: list[tuple[int, int]] = []  # trainings that run, and -T
        for T in history.lengths:
            leader = history.race(T).leader if history.race_is_left(T) else None
            if leader and leader.solved + len(leader.running) < self._seeds:
                due.append((len(leader.running), -T))
        return self._start(-min(due)[1]) if due else None

    def released(self, training: TrialRecord) -> bool:
        """A training of a race has ended, or was cut off; whether that has decided its race."""
        decided = self._history.race(training.T).leader is None
        if not decided or training.status == files.INTERRUPTED:
            return False
        self._listener.race_ended(training.T)
        return True

    def now(self) -> Progress:
        """How far the races are: the share of the trainings that they need if no other fails."""
        races = [race for race in map(self._history.race, self._history.lengths) if race.candidates]
        done = [self._done(race.leader) if race.leader else 1.0 for race in races]
        fraction = sum(done) / len(done)
        elapsed, searched = self._study.elapsed(), self._study.searched()
        projected = (elapsed - self._began) * (1 - fraction) / fraction if fraction else math.inf
        return Progress(elapsed, fraction, min(max(0.0, self._deadline - searched), projected))

    @property
    def _seeds(self) -> int:
        return self._study.config.search.race_seeds

    def _done(self, leader: Candidate) -> float:
        """The share of the leader's trainings that is done, in tokens of its own to solve T."""
        needed = leader.trial.tokens_to_solve or 1
        running = sum(min(1.0, (training.tokens or 0) / needed) for training in leader.running)
        return min(1.0, (leader.solved + running) / self._seeds)

    def _start(self, T: int) -> TrialRecord:
        """The leader at T trains with one more seed."""
        leader, history = self._history.race(T).leader, self._history
        assert leader is not None
        training = self._study.config.race_training(
            leader.trial.training, fresh_seed(history, T, FOR_RACES)
        )
        name = f"T{T}-race-{len(history.lengths[T].races):02}"
        return self._study.start_trial(name, training.to_dict(), files.RACE, leader.trial.id)
