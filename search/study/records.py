"""What is known of a trial, and of the search at one T."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from search.config.space import flat_values
from search.study.arrivals import Arrivals
from search.study.curve import Curve
from studies import format as files
from studies.events import Point, Scores
from studies.given import enqueued


@dataclass(slots=True)
class TrialRecord:
    """What is known of one trial: at most 2 kB, for a driver keeps those of a whole study.

    Attributes:
        id: its name, unique in the study.
        T: the length that it is to master.
        training: its TrainingConfig as plain values.
        stage: what it is for, one of :data:`studies.format.STAGES`.
        confirms: of a race or a confirmation, the trial_id of the trial that it repeats.
        status: one of :data:`studies.format.STATUSES`.
        error: why it failed; empty if it did not.
        parameters: trained parameters of its model; None before its first result.
        state_floats: numbers that its model carries from step to step; None if not recorded.
        host: where it was trained last.
        gpus: share of a GPU that it held there.
        curve: one point an iteration.
        best_at: the place in its curve of its best evaluation at T, of equal ones of the latest.
        ended: whether it will not continue.
        failures: how often it failed since its last new iteration.
        lost_hosts: how often it lost its host since then.
        tested: whether a confirmation was tested.
        scores: of that test; None if the confirmation failed before it had a model.
        known: how many of ``LengthRecord.endings`` there were when it was chosen.
        number: of the search, its place in ``LengthRecord.trials``.
    """

    id: str
    T: int
    training: Mapping[str, Any]
    stage: str = files.SEARCH
    confirms: str = ""
    status: str = files.INTERRUPTED
    error: str = ""
    parameters: int | None = None
    state_floats: int | None = None
    host: str = ""
    gpus: float | None = None
    curve: Curve = field(default_factory=Curve)
    best_at: int = 0
    ended: bool = False
    failures: int = 0
    lost_hosts: int = 0
    tested: bool = False
    scores: Scores | None = None
    known: int = 0
    number: int = 0

    @property
    def hyperparameters(self) -> dict[str, Any]:
        """The values of its training, with those of its architecture among them."""
        return flat_values(self.training)

    @property
    def last(self) -> Point | None:
        """The last point of its curve."""
        return self.curve[-1] if self.curve else None

    @property
    def best(self) -> Point | None:
        """The point of its best evaluation at T; of equal ones the latest."""
        return self.curve[self.best_at] if self.curve else None

    @property
    def tokens(self) -> int | None:
        """The tokens that it has trained on; None before its first result."""
        return self.curve.value(-1, "tokens") if self.curve else None

    @property
    def validation_accuracy(self) -> float | None:
        """At T, of its best evaluation; None before its first result."""
        return self.curve.value(self.best_at, "validation_accuracy") if self.curve else None

    @property
    def tokens_to_solve(self) -> int | None:
        """The tokens after which it solved T; None if it has not."""
        return self.curve.value(-1, "tokens_to_solve") if self.curve else None

    @property
    def failed(self) -> bool:
        """Whether it diverged or crashed for good."""
        return self.status == files.FAILED

    @property
    def solved(self) -> bool:
        """Whether it solved T and did not fail."""
        return self.tokens_to_solve is not None and not self.failed

    def restart(self) -> None:
        """Forget what it has reported and how it ended."""
        anew = TrialRecord(self.id, self.T, self.training, self.stage, self.confirms)
        anew.known, anew.number = self.known, self.number
        for of in fields(self):
            setattr(self, of.name, getattr(anew, of.name))

    def add(self, point: Point) -> None:
        """Append a point to its curve."""
        best = self.validation_accuracy
        if best is None or point.validation_accuracy >= best:
            self.best_at = len(self.curve)
        self.curve.append(point)


@dataclass
class LengthRecord:
    """What is known of one T: its search, and the trainings that follow it.

    Attributes:
        trials: of the search, in the order in which they started.
        live: those of them that have not ended, by trial_id.
        arrivals: the results of the search, in the order in which they were reported.
        endings: trials of the search that were completed or stopped early, in that order.
        initial: configurations tried first: that of the trial with this number.
        enqueued_until: the number of a trial up to which users have given configurations.
        began: when the search began, in seconds of its own clock, see
            :class:`search.study.history.History`.
        began_tokens: tokens of the study then.
        solved: trials that solved T.
        best_value: of the search metric in the trials that ended, see ``stale``.
        stale: trials in a row that ended without raising ``best_value`` by ``MIN_GAIN``.
        seconds: that the search took on its clock, until it ended last.
        limit: what ended the search (``solved_trials``, ``trials``, ``patience``,
            ``budget_minutes``, ``budget_tokens`` or ``reach``), or ``next_T``; empty before.
        limit_value: the value of that limit then.
        races: trainings of candidates with fresh seeds, in the order in which they started.
        final: the final training.
        confirmations: in the order in which they started.
    """

    trials: list[TrialRecord] = field(default_factory=list)
    live: dict[str, TrialRecord] = field(default_factory=dict)
    arrivals: Arrivals = field(default_factory=Arrivals)
    endings: list[TrialRecord] = field(default_factory=list)
    initial: Sequence[Mapping[str, Any]] = ()
    enqueued_until: int = 0
    began: float | None = None
    began_tokens: int = 0
    seconds: float = 0.0
    solved: int = 0
    best_value: float = -1.0
    stale: int = 0
    limit: str = ""
    limit_value: float | None = None
    races: list[TrialRecord] = field(default_factory=list)
    final: TrialRecord | None = None
    confirmations: list[TrialRecord] = field(default_factory=list)

    def note_gain(self, value: float, least: float) -> None:
        """A trial has ended with this value of the search metric; a gain is at least so much."""
        if value > self.best_value + least:
            self.best_value, self.stale = value, 0
        else:
            self.stale += 1

    @property
    def is_open(self) -> bool:
        """Whether its search has begun and has not ended."""
        return self.began is not None and not self.limit

    def is_ahead(self, metric: str) -> bool:
        """Whether a trial that runs is better by now than those that have ended."""
        return any(
            trial.curve and trial.curve.value(-1, metric) > self.best_value
            for trial in self.live.values()
        )

    @property
    def waiting(self) -> int:
        """How many configurations of users are still to be tried."""
        return max(0, self.enqueued_until - len(self.trials))

    def enqueue(self, configuration: Mapping[str, Any]) -> None:
        """Try a configuration next, after those of users that wait. The initial ones move on."""
        number = len(self.trials) + self.waiting
        self.initial = enqueued(self.initial, number, configuration)
        self.enqueued_until = number + 1

    def unfinished(self) -> list[TrialRecord]:
        """Trials that have not ended, of a T whose search is over.

        Failed ones that run again, trainings of a race, the final training, confirmations.
        """
        after = [self.final] if self.final else []
        unfinished = [
            trial for trial in (*self.races, *after, *self.confirmations) if not trial.ended
        ]
        return [*self.live.values(), *unfinished]
