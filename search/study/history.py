"""What is known of a search: the sum of its events."""

import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from search.config.sections import METRIC_NAMES
from search.config.study_config import StudyConfig
from search.study.due import training_is_left
from search.study.race import Race
from search.study.ranking import Ranking
from search.study.reach import doubled, next_length
from search.study.records import LengthRecord, TrialRecord
from search.study.shared_values import shared
from studies import events
from studies import format as files
from studies.events import BestTrial, Event

MIN_GAIN = 0.005
"""How much the best value of the search metric must rise to count for ``search.patience``."""


class History:
    """The trials, the search at each T and the best trials, as the events tell them.

    Attributes:
        space: the hyperparameters that are searched, which no resume changes.
        chance_accuracy: accuracy of guessing in its task.
        trials: by trial_id, in the order in which they started; of all stages.
        lengths: by T, ascending: those of the configuration, then those reached beyond them.
        best: the best trial of each T that was tested, by T.
        stopped: trials of the search that the scheduler stopped, in the order in which it did.
        requests: ids of what users have enqueued.
        elapsed: when the last event happened, in seconds of the study's wall time.
        tokens: that all trials of the search and of the races have trained on, also before they
            were started again.
        racing: whether candidates race.
        beside: seconds of the study's wall time that were not the search's or the races': final
            trainings and confirmations. Without them that time is the clock of the search.
    """

    def __init__(self, config: StudyConfig, chance_accuracy: float = files.CHANCE_ACCURACY):
        self.config = config
        self.space = config.search_space()
        self.chance_accuracy = chance_accuracy
        self._metric = METRIC_NAMES[config.search.metric]
        self._trainings: dict[int, Mapping[str, Any]] = {}  # the first at each T
        self._rankings: dict[int, Ranking] = defaultdict(partial(Ranking, config.search.rank_by))
        self.trials: dict[str, TrialRecord] = {}
        self.lengths: dict[int, LengthRecord] = {T: LengthRecord() for T in config.T}
        self.best: dict[int, BestTrial] = {}
        self.stopped: list[TrialRecord] = []
        self.requests: set[str] = set()
        self.elapsed = self.beside = 0.0
        self.tokens = 0
        self.racing = False
        self._race_limit: events.RacingEnded | None = None  # if it ended before it was decided
        self._search_left: float | None = None  # when the last search at a T, or racing, ended

    @property
    def last(self) -> int:
        """The largest T of the study so far."""
        return max(self.lengths)

    @property
    def search_seconds(self) -> float:
        """What the clock of the search showed when it, or racing, ended last; 0.0 before."""
        return 0.0 if self._search_left is None else self._search_left - self.beside

    def apply(self, event: Event) -> None:
        """Add an event.

        Raises:
            KeyError: it names a trial that has not started, or a T that is not searched.
            ValueError: its kind is unknown.
        """
        match event:
            case events.Result():  # the first, since nearly all are results
                self._apply_result(event)
            case events.LengthBegan():
                self._continue_clock(event.elapsed)
                if doubled(self.last) == event.T:
                    self.lengths[event.T] = LengthRecord()
                length = self.lengths[event.T]
                length.initial, length.limit = event.initial, ""
                length.began = event.elapsed - self.beside
                length.began_tokens = self.tokens
            case events.ConfigurationEnqueued():
                self.requests.add(event.request)
                self.lengths[event.T].enqueue(event.configuration)
            case events.LengthEnded():
                self._apply_length_ended(event)
            case events.TrialStarted():
                self._apply_start(event)
            case events.TrialFailed():
                trial = self.trials[event.trial_id]
                trial.status, trial.error = files.FAILED, event.error
                if trial.stage == files.SEARCH:
                    self.lengths[trial.T].solved -= trial.tokens_to_solve is not None
                    self._rankings[trial.T].note(trial)
                self._end(trial)
                self._note_gain(trial)
            case events.TrialRetried():
                trial = self.trials[event.trial_id]
                trial.failures += not event.blameless
                trial.lost_hosts += event.blameless
            case events.TrialRestarted():
                self._apply_restart(event)
            case events.TrialCutOff():
                self._end(self.trials[event.trial_id])
            case events.RacingBegan():
                self._continue_clock(event.elapsed)
                self.racing, self._race_limit = True, None
            case events.RacingEnded():
                self._search_left = event.elapsed
                self.racing, self._race_limit = False, event if event.limit else None
                for trial in [t for length in self.lengths.values() for t in length.races]:
                    self._end(trial)
            case events.Best():
                self.best[event.T] = event.row
            case events.Confirmed():
                trial = self.trials[event.trial_id]
                trial.tested, trial.scores = True, event.scores
            case _:
                raise ValueError(f"unknown event: {event}")
        self.elapsed = event.elapsed

    def _continue_clock(self, elapsed: float) -> None:
        """The search resumes; what came in between was beside it, if no search was open then."""
        searching = any(length.is_open for length in self.lengths.values())
        if self._search_left is not None and not self.racing and not searching:
            self.beside += elapsed - self._search_left

    def _apply_length_ended(self, event: events.LengthEnded) -> None:
        self._search_left = event.elapsed
        length = self.lengths[event.T]
        seconds = event.elapsed - self.beside - (length.began or 0.0)
        tokens = self.tokens - length.began_tokens
        length.limit, length.limit_value = event.limit, event.value
        length.seconds += seconds
        for trial in list(length.live.values()):
            self._end(trial)
        for other in self.lengths.values():
            # It was interrupted, and a limit of this T raised: this search is not to its account.
            if other.is_open:
                assert other.began is not None
                other.began += seconds
                other.began_tokens += tokens

    def _apply_start(self, event: events.TrialStarted) -> None:
        T: int = event.training["T"]
        training = shared(event.training, self._trainings.setdefault(T, event.training))
        trial = TrialRecord(event.trial_id, T, training, sys.intern(event.stage), event.confirms)
        self.trials[trial.id] = trial
        length = self.lengths[trial.T]
        if trial.stage == files.FINAL:
            length.final = trial
        elif trial.stage == files.RACE:
            length.races.append(trial)
        elif trial.stage == files.CONFIRM:
            length.confirmations.append(trial)
        else:
            trial.known, trial.number = len(length.endings), len(length.trials)
            length.trials.append(trial)
            length.live[trial.id] = trial

    def _apply_restart(self, event: events.TrialRestarted) -> None:
        """Forget what a failed trial has reported."""
        trial = self.trials[event.trial_id]
        length = self.lengths[trial.T]
        if trial.stage == files.SEARCH:
            if trial.curve:
                length.arrivals.forget(trial.number)
            length.live[trial.id] = trial
        trial.restart()
        if trial.stage == files.SEARCH:
            self._rankings[trial.T].note(trial)

    def _apply_result(self, event: events.Result) -> None:
        trial, point = self.trials[event.trial_id], event.metrics
        if trial.stage in (files.SEARCH, files.RACE):
            self.tokens += point.tokens - (trial.tokens or 0)
        if trial.stage == files.SEARCH:
            length = self.lengths[trial.T]
            length.arrivals.add(trial.number, point.iteration, getattr(point, self._metric))
            if point.tokens_to_solve is not None and trial.tokens_to_solve is None:
                length.solved += 1
        trial.add(point)
        trial.parameters, trial.state_floats = event.parameters, event.state_floats
        trial.host, trial.gpus = sys.intern(event.host), event.gpus
        trial.failures = trial.lost_hosts = 0
        if trial.stage == files.SEARCH:
            self._rankings[trial.T].note(trial)
        if event.status:
            trial.status = sys.intern(event.status)
            if trial.stage == files.SEARCH:
                self.lengths[trial.T].endings.append(trial)
                if event.status == files.STOPPED_EARLY:
                    self.stopped.append(trial)
            self._end(trial)
            self._note_gain(trial)

    def add_ended(self, trial: TrialRecord) -> None:
        """Add a trial of the search that has ended, of a study that recorded no events."""
        self.trials[trial.id] = trial
        length = self.lengths.setdefault(trial.T, LengthRecord())
        trial.number = len(length.trials)
        length.trials.append(trial)
        length.solved += trial.solved
        self._rankings[trial.T].note(trial)

    def _end(self, trial: TrialRecord) -> None:
        trial.ended = True
        self.lengths[trial.T].live.pop(trial.id, None)

    def _note_gain(self, trial: TrialRecord) -> None:
        """Whether a trial of the search that has ended raised the best value at its T."""
        if trial.stage != files.SEARCH:
            return
        value = -1.0 if trial.failed else max(trial.curve.column(self._metric))
        self.lengths[trial.T].note_gain(value, MIN_GAIN)

    def is_over(self, T: int) -> bool:
        """Whether the search at T has reached a limit that was not raised since."""
        length = self.lengths[T]
        if not length.limit:
            return False
        return self._is_reached(length.limit, length.limit_value)

    def _is_reached(self, limit: str, value: float | None) -> bool:
        """Whether a limit that has ended something was not raised since."""
        now = self.config.search.limit(limit)
        return value is None or (now is not None and now <= value)

    def solvers(self, T: int) -> list[TrialRecord]:
        """The trials of the search at T, and the final training, that have solved it."""
        final = self.lengths[T].final
        return [*self._rankings[T].solvers(), *([final] if final and final.solved else [])]

    def ranked(self, T: int) -> Sequence[TrialRecord]:
        """The evaluated trials of the search at T, best first: see :mod:`search.study.ranking`.

        There is none if T is not searched.
        """
        return self._rankings[T].trials()

    def race(self, T: int) -> Race:
        """How the race at T stands."""
        ranking = self._rankings[T]
        return Race(ranking.trials(), ranking.solvers(), self.lengths[T].races, self.config.search)

    @property
    def race_was_cut_off(self) -> bool:
        """Whether a limit that was not raised since ended racing before it was decided."""
        ended = self._race_limit
        return ended is not None and self._is_reached(ended.limit, ended.value)

    @property
    def race_limit(self) -> str:
        """The limit that ended racing before it was decided; empty if none did."""
        return self._race_limit.limit if self._race_limit else ""

    def race_is_left(self, T: int) -> bool:
        """Whether the race at T is still to be decided, and may be."""
        return not self.race_was_cut_off and self.race(T).leader is not None

    def winner(self, T: int) -> TrialRecord | None:
        """The best trial at T so far: the final training if it has solved T, else the race's.

        The final training is not ranked among the others: it is validated on other payloads,
        usually more of them, on which a figure is less often high by luck.
        """
        length = self.lengths[T]
        if length.final and length.final.ended and length.final.solved:
            return length.final
        return self.race(T).winner

    def is_tested(self, T: int, winner: TrialRecord) -> bool:
        """Whether best.csv has this winner at T, and as the best of all the trials there are."""
        best = self.best.get(T)
        started = len(self.lengths[T].trials)
        return best is not None and (best.trial_id, best.trials) == (winner.id, started)

    def failed_trials(self) -> list[TrialRecord]:
        """The trials that failed, of all stages."""
        return [trial for trial in self.trials.values() if trial.failed]

    def all_failed(self, T: int) -> bool:
        """Whether each trial of the search at T failed.

        Patience ends a T for their failures. A trial that it cuts off without a result changes
        nothing; one that a budget cuts off might have succeeded.
        """
        length = self.lengths[T]
        by_patience = length.limit == "patience"
        return any(trial.failed for trial in length.trials) and all(
            trial.failed or (by_patience and trial.ended and not trial.curve)
            for trial in length.trials
        )

    def last_error(self, T: int) -> str:
        """Why a trial of the search at T failed: the last one that did; empty if none did."""
        trials = self.lengths[T].trials
        return next((trial.error for trial in reversed(trials) if trial.failed), "")

    @property
    def complete(self) -> bool:
        """Whether nothing is left to search, to train or to test."""
        return (
            next_length(self) is None
            and not self.racing
            and all(
                not training_is_left(self, T)
                and all(trial.tested for trial in length.confirmations)
                and ((winner := self.winner(T)) is None or self.is_tested(T, winner))
                for T, length in self.lengths.items()
            )
        )
