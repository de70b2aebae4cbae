"""What a study does next: the search at one T after another, final trainings, confirmations.

What is due follows from the study's events alone, so a resumed study continues where it was.
While one T is searched, only its trials are handed out. When that search reaches a limit, its
running trials are cut off at their next result, and their slots continue with the next T at once.
Beyond the last T of the list, T doubles as long as it is solved, if ``search.reach`` allows it.

After the last T come failed trials that the user wants to run again, the races at all T side by
side (:mod:`search.decide.racing`), the final trainings likewise, and in the slots that these leave
free, the confirmations at each T whose winner is known.
"""

from collections.abc import Collection
from itertools import zip_longest

from search.config.dimensions import Scalar
from search.decide.budget import LengthProgress, TrainingProgress
from search.decide.fresh_seeds import FOR_CONFIRMATIONS, fresh_seed
from search.decide.model_tests import Evaluator, ModelTests
from search.decide.racing import Racing
from search.decide.samplers import MakeSuggester, Sampler
from search.study.due import confirmation_is_due, final_is_due, training_is_left
from search.study.limits import is_full
from search.study.listener import Listener, Progress
from search.study.optuna_journal import OptunaJournal
from search.study.reach import does_not_fit, next_length
from search.study.records import LengthRecord, TrialRecord
from search.study.study import Study
from search.study.warm_start import warm_points
from studies import format as files

SWEEPS = 50
"""Checkpoints are removed whenever one in this many trials of a T has ended since: to see which are
needed takes time in proportion to the trials."""


class Agenda:
    """Takes the steps of a study and says which trial is next. Call :meth:`begin` first.

    Args:
        journal: Optuna's journal in the study directory.
        evaluator: tests models beside the search.
        listener: is told which steps were taken.
        elsewhere: see :class:`search.decide.samplers.Sampler`.

    Raises:
        OSError: the study cannot be written any more; by every method.
    """

    def __init__(
        self,
        study: Study,
        journal: OptunaJournal,
        evaluator: Evaluator,
        listener: Listener,
        elsewhere: MakeSuggester | None = None,
    ):
        self._study = study
        self._history = study.history
        self._journal = journal
        self._tests = ModelTests(study, evaluator, listener)
        self._listener = listener
        self._elsewhere = elsewhere
        self._samplers: dict[int, Sampler] = {}  # at each T that was begun
        self._searching: LengthProgress | None = None  # None after the last T
        self._racing = Racing(study, listener)
        self._after: TrainingProgress | None = None  # None before
        self._ended_since = 0  # trials, since checkpoints were removed

    def begin(self) -> None:
        """Take up the study where it is: at its beginning, or where an earlier run ended."""
        for T in self._history.lengths:
            if self._history.is_over(T):
                self._begin_sampler(T)  # tells Optuna what a search that was killed did not
                self._conclude(T)
        self._begin_next()
        if self.over:
            self._listener.nothing_left()

    @property
    def over(self) -> bool:
        """Whether nothing is left to train; tests may still run."""
        history = self._history
        search_is_left = self._searching or next_length(history) or history.racing
        return not (search_is_left or any(training_is_left(history, T) for T in history.lengths))

    def progress(self) -> Progress:
        """How far the search is; after it, how far the trainings that follow are."""
        now = self._searching or (self._racing if self._history.racing else self._after)
        assert now
        return now.now()

    def advance(self) -> None:
        """Take the steps that are due: the end of a search, the result of a test.

        To be called after whatever happens, and also when nothing does: time passes.
        """
        self._tests.collect()
        while self._searching and (limit := self._searching.reached_limit()):
            self._end_search(self._searching.T, limit)
            self._begin_next()
        if not self._searching and next_length(self._history):
            self._begin_next()  # what followed the search has solved the last T
        if not self._searching and self._racing.advance():
            for T in self._history.lengths:
                self._conclude(T)
            self._begin_trainings()

    def finish(self) -> None:
        """Wait for the tests, and leave no checkpoint that nothing needs.

        Raises:
            SearchFailedError: a model that was to be tested has no whole checkpoint.
        """
        self._tests.collect(wait=True)
        for T in self._history.lengths:
            self._study.checkpoints.remove_unneeded(T)
        self._listener.study_ended()
        self._tests.check()

    def next_trial(self, running: Collection[str]) -> TrialRecord | None:
        """The next trial to run beside the running ones: one to resume, or else a new one."""
        history = self._history
        if self._searching:
            T = self._searching.T
            length = history.lengths[T]
            waiting = [trial for trial in length.live.values() if trial.id not in running]
            if waiting:
                return waiting[0]
            full = is_full(history, T) or does_not_fit(history, T)
            return None if full and not length.waiting else self._start_search_trial(T)
        for length in history.lengths.values():
            for trial in length.unfinished():
                if trial.id not in running:
                    return trial
        if training := self._racing.next_training():
            return training
        for T in history.lengths:
            if final_is_due(history, T):
                return self._start_final(T)
        for T in history.lengths:
            if winner := confirmation_is_due(history, T):
                return self._start_confirmation(winner)
        return None

    def reported(self, trial: TrialRecord) -> None:
        """A trial has reported an iteration, or has ended."""
        # A T whose search waits for that at a smaller T has no sampler yet; it will catch up.
        if trial.stage == files.SEARCH and trial.T in self._samplers:
            self._samplers[trial.T].reported(trial)

    def stop(self, trial: TrialRecord, running: bool) -> None:
        """Cut a trial off, as the user asks. If it runs, it ends with its next result."""
        self._study.cut_off(trial)
        self.reported(trial)
        if not running:
            self.released(trial)

    def end_search(self) -> None:
        """End the search at the present T, as the user asks, and continue with what follows."""
        assert self._searching
        self._end_search(self._searching.T, files.NEXT_T)
        self._begin_next()

    def released(self, trial: TrialRecord) -> None:
        """A trial that has ended, or was cut off, does not run any more."""
        self._listener.trial_ended(trial)
        T = trial.T
        ran_again = self._history.is_over(T) and not self._history.lengths[T].live
        if trial.stage == files.CONFIRM:
            self._tests.test_confirmation(trial)
        elif trial.stage == files.RACE:
            if self._racing.released(trial) or not self._history.racing:  # it ran again
                self._tests.test_winner(T)
        elif trial.stage == files.FINAL or ran_again:
            self._tests.test_winner(T)
        self._ended_since += 1
        if self._ended_since * SWEEPS >= len(self._history.lengths[T].trials):
            self._ended_since = 0
            self._study.checkpoints.remove_unneeded(T, self._tests.trials)

    def _begin_next(self) -> None:
        """Continue with the first T whose search is not over; after the last, with what follows."""
        study = self._study
        T = next_length(study.history)
        if T is None:
            self._searching = None
            if not self._racing.begin():
                self._begin_trainings()
            return
        length = study.history.lengths.get(T, LengthRecord())
        if length.began is None or length.limit:  # it is new, or a limit was raised since
            initial = [*length.initial]  # before the search began: what users have enqueued
            if length.began is None:
                initial += first_configurations(study, T)
            study.begin_length(T, initial)
        self._begin_sampler(T)
        self._searching = LengthProgress(study, T)
        self._listener.length_began(T, self._searching.deadline - study.searched())

    def _begin_trainings(self) -> None:
        """Continue with what follows the races."""
        self._after = TrainingProgress(self._study)
        if not self.over:
            self._listener.trainings_began()

    def _begin_sampler(self, T: int) -> None:
        self._samplers[T] = Sampler(self._study, T, self._journal, self._elsewhere)
        self._samplers[T].catch_up()

    def _end_search(self, T: int, limit: str) -> None:
        cut_off = list(self._history.lengths[T].live.values())
        self._study.end_length(T, limit)
        for trial in cut_off:
            self._samplers[T].reported(trial)
        self._samplers[T].end()
        self._conclude(T)
        self._listener.length_ended(T)

    def _conclude(self, T: int) -> None:
        """Test what is to be tested at a T whose search is over."""
        self._tests.test_winner(T)
        for trial in self._history.lengths[T].confirmations:
            if trial.ended and not trial.tested:
                self._tests.test_confirmation(trial)
        self._study.checkpoints.remove_unneeded(T, self._tests.trials)

    def _start_search_trial(self, T: int) -> TrialRecord:
        name, training = self._samplers[T].ask(self._history.lengths[T].initial)
        trial = self._study.start_trial(name, training)
        self._samplers[T].started(trial)
        return trial

    def _start_final(self, T: int) -> TrialRecord:
        winner = self._history.winner(T)
        assert winner is not None
        training = self._study.config.final_training(winner.training)
        return self._study.start_trial(f"T{T}-final", training.to_dict(), files.FINAL)

    def _start_confirmation(self, winner: TrialRecord) -> TrialRecord:
        T = winner.T
        number = len(self._history.lengths[T].confirmations)
        training = self._study.config.fresh_training(
            winner.training, fresh_seed(self._history, T, FOR_CONFIRMATIONS)
        )
        return self._study.start_trial(
            f"T{T}-confirm-{number:02d}", training.to_dict(), files.CONFIRM, confirms=winner.id
        )


def first_configurations(study: Study, T: int) -> list[dict[str, Scalar]]:
    """What is tried first at T, in turns: the winners of another study (``--warm-from``), the best
    of the T before it, and the initial ones.

    A configuration that was best there may stall at a larger T. With an initial one beside it
    from the start, a short search does not hang on it alone.
    """
    before = [t for t in study.history.lengths if t < T][-1:]
    most = study.config.search.carried_trials
    best = [trial for t in before for trial in study.history.ranked(t)[:most]]
    carried = [study.history.space.searched(trial.hyperparameters) for trial in best]
    turns = zip_longest(warm_points(study.config, T), carried, study.config.initial_points())
    points = [point for turn in turns for point in turn if point is not None]
    return [point for index, point in enumerate(points) if point not in points[:index]]
