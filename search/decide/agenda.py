"""What a study does next: the search at one T after another, final trainings, confirmations.

What is due follows from the study's events alone, so a study that is resumed goes on where it
was. While the search at a T goes on, only its trials are handed out. When it has reached a limit,
the trials that still run are cut off at their next result, and their slots go on with the next T
at once. After the last T come failed trials that the user wants to run again, the final
trainings, at all T side by side, and with whatever slots they leave free the confirmations at each
T whose winner is known.
"""

import dataclasses
from collections.abc import Callable, Collection
from functools import partial
from itertools import zip_longest

from optuna.storages import BaseStorage

from copytask import Evaluation, Purpose, TrainingConfig
from copytask.training.checkpoint import copy_checkpoint
from search.config.space import Scalar
from search.console.display import Display
from search.decide.budget import LengthProgress, Progress, TrainingProgress
from search.decide.samplers import Sampler, trial_seed
from search.errors import SearchFailedError
from search.execute.model_tests import BackgroundTester
from search.storage.csv_tables import Row
from search.storage.store import with_retries
from search.study.history import TrialRecord
from search.study.study import Study
from studies import format as files
from studies.paths import StudyPath

FRESH = 2**28
"""Number from which on confirmations take their seeds. :func:`trial_seed` is one-to-one in the
number, so at their T the search never comes there."""


class Agenda:
    """Takes the steps of a study and says which trial is next.

    Args:
        journal: Optuna's journal in the study directory.

    Raises:
        OSError: the study cannot be written any more; also by every method.
    """

    def __init__(
        self, study: Study, journal: BaseStorage, tester: BackgroundTester, display: Display
    ):
        self._study = study
        self._journal = journal
        self._tester = tester
        self._display = display
        self._untested: dict[str, str] = {}  # trial_id -> why it cannot be tested
        self._samplers: dict[int, Sampler] = {}  # at each T that was begun
        self._searching: LengthProgress | None  # None after the last T
        self._after: TrainingProgress
        for T in study.config.T:
            if study.history.is_over(T):
                # It tells Optuna what a search that was killed did not.
                self._samplers[T] = Sampler(study, T, journal)
                self._conclude(T)
        self._begin_next()
        if self.over:
            self._display.nothing_left()

    @property
    def over(self) -> bool:
        """Whether nothing is left to train; tests may still run."""
        history = self._study.history
        return not (self._searching or any(map(history.training_is_left, history.lengths)))

    def progress(self) -> Progress:
        """Seconds used, fraction done and seconds left: of the search, then of what follows."""
        return (self._searching or self._after).now()

    def advance(self) -> None:
        """Take the steps that are due: the end of a search, the result of a test.

        To be called after whatever happens, and also when nothing does: time passes.
        """
        self._tester.collect()
        while self._searching and (limit := self._searching.reached_limit()):
            self._end_search(self._searching.T, limit)
            self._begin_next()

    def finish(self) -> None:
        """Wait for the tests, and leave no checkpoint that nothing needs.

        Raises:
            SearchFailedError: a model that was to be tested has no whole checkpoint.
        """
        self._tester.collect(wait=True)
        for T in self._study.config.T:
            self._study.checkpoints.remove_unneeded(T)
        self._study.write()
        for trial_id, reason in self._untested.items():
            trial = self._study.history.trials[trial_id]
            if trial.stage == files.CONFIRM or trial is self._study.history.winner(trial.row["T"]):
                raise SearchFailedError(reason)

    def next_trial(self, running: Collection[str]) -> TrialRecord | None:
        """The next trial to run beside the running ones: one that goes on, or else a new one."""
        study = self._study
        if self._searching:
            length = study.history.lengths[self._searching.T]
            waiting = [trial for trial in length.live.values() if trial.id not in running]
            if not waiting and len(length.trials) < study.config.search.trials:
                return self._start_search_trial(self._searching.T)
            return waiting[0] if waiting else None
        for length in study.history.lengths.values():
            for trial in length.unfinished():
                if trial.id not in running:
                    return trial
        for T in study.config.T:
            if study.history.final_is_due(T):
                return self._start_final(T)
        for T in study.config.T:
            if winner := study.history.confirmation_is_due(T):
                return self._start_confirmation(winner)
        return None

    def reported(self, trial: TrialRecord) -> None:
        """A trial has reported an iteration, or has ended."""
        if trial.stage == files.SEARCH:
            self._samplers[trial.row["T"]].reported(trial)

    def released(self, trial: TrialRecord) -> None:
        """A trial that has ended, or was cut off, does not run any more."""
        history, T = self._study.history, trial.row["T"]
        if trial.stage == files.FINAL:
            if not trial.solved:
                self._display.final_failed(trial)
            self._test_winner(T)
        elif trial.stage == files.CONFIRM:
            self._test_confirmation(trial)
        elif history.is_over(T) and not history.lengths[T].live:  # they ran again
            self._test_winner(T)
        self._study.checkpoints.remove_unneeded(T, self._tester.trials)

    def _begin_next(self) -> None:
        """Go on with the first T whose search is not over; after the last, with what follows."""
        study = self._study
        T = next((T for T in study.config.T if not study.history.is_over(T)), None)
        if T is None:
            self._searching, self._after = None, TrainingProgress(study)
            if not self.over:
                self._display.trainings_started()
            return
        length = study.history.lengths[T]
        if length.began is None or length.limit:  # it is new, or a limit was raised since
            study.begin_length(T, length.initial or first_configurations(study, T))
        self._samplers[T] = Sampler(study, T, self._journal)
        self._searching = LengthProgress(study, T)
        self._display.update(*self.progress())
        self._display.length_started(T, self._searching.deadline - study.searched())

    def _end_search(self, T: int, limit: str) -> None:
        cut_off = list(self._study.history.lengths[T].live.values())
        self._study.end_length(T, limit)
        for trial in cut_off:
            self._samplers[T].reported(trial)
        self._display.update(*self.progress())
        self._conclude(T)
        if self._study.history.winner(T) is None:
            self._display.result(T)

    def _conclude(self, T: int) -> None:
        """Test what is to be tested at a T whose search is over."""
        self._test_winner(T)
        for trial in self._study.history.lengths[T].confirmations:
            if trial.ended and trial.scores is None:
                self._test_confirmation(trial)
        self._study.checkpoints.remove_unneeded(T, self._tester.trials)

    def _start_search_trial(self, T: int) -> TrialRecord:
        name, training = self._samplers[T].ask(self._study.history.lengths[T].initial)
        trial = self._study.start_trial(name, training.to_dict())
        self._samplers[T].started(trial)
        return trial

    def _start_final(self, T: int) -> TrialRecord:
        winner = self._study.history.winner(T)
        assert winner is not None
        training = self._study.config.final_training(winner.training)
        return self._study.start_trial(f"T{T}-final", training.to_dict(), files.FINAL)

    def _start_confirmation(self, winner: TrialRecord) -> TrialRecord:
        T = winner.row["T"]
        number = len(self._study.history.lengths[T].confirmations)
        training = dataclasses.replace(
            TrainingConfig.from_dict(winner.training), seed=self._fresh_seed(T)
        )
        return self._study.start_trial(
            f"T{T}-confirm-{number:02d}", training.to_dict(), files.CONFIRM, confirms=winner.id
        )

    def _fresh_seed(self, T: int) -> int:
        """A seed that no trial of the study has had, and none of the search at T will have."""
        used = {trial.row["seed"] for trial in self._study.history.trials.values()}
        number = FRESH
        while (seed := trial_seed(self._study.config.search.seed, T, number)) in used:
            number += 1
        return seed

    def _test_winner(self, T: int) -> None:
        winner = self._study.history.winner(T)
        known = winner is None or self._study.history.is_tested(T, winner)
        if winner and not known and winner.id not in self._tester.trials:
            if (checkpoint := self._checkpoint(winner)) is None:
                return
            seed = self._study.config.search.seed
            then = partial(self._note_winner, winner, checkpoint)
            self._test(winner, checkpoint, seed, Purpose.TEST, then)

    def _test_confirmation(self, trial: TrialRecord) -> None:
        """Test it on payloads that nothing else was tested on: the stream of its own seed."""
        if trial.curve:
            if (checkpoint := self._checkpoint(trial)) is None:
                return
            then = partial(self._note_confirmation, trial)
            self._test(trial, checkpoint, trial.row["seed"], Purpose.CONFIRMATION, then)
        else:  # it failed before it had a model
            self._study.confirm(trial.id, {})

    def _checkpoint(self, trial: TrialRecord) -> StudyPath | None:
        """What is to be tested of a trial; None, with a word, if no checkpoint of it is whole."""
        try:
            return self._study.checkpoints.best(trial)
        except SearchFailedError as error:
            if trial.id not in self._untested:
                self._display.say(str(error))
            self._untested[trial.id] = str(error)
            return None

    def _test(
        self,
        trial: TrialRecord,
        checkpoint: StudyPath,
        seed: int,
        purpose: Purpose,
        then: Callable[[Evaluation], None],
    ) -> None:
        config = self._study.config
        self._tester.submit(
            trial.id,
            checkpoint,
            then,
            model=config.model,
            task=config.task,
            T=trial.row["T"],
            payloads=config.search.test_payloads,
            seed=seed,
            purpose=purpose,
        )

    def _note_winner(self, winner: TrialRecord, checkpoint: StudyPath, scores: Evaluation) -> None:
        study, T = self._study, winner.row["T"]
        kept = f"{files.CHECKPOINTS_FOLDER}/T={T}"
        if checkpoint != study.path / kept:
            with_retries(lambda: copy_checkpoint(checkpoint, study.path / kept), study.path)
        tested = winner.row | chosen(files.BEST_COLUMNS, scores)
        started = len(study.history.lengths[T].trials)
        study.set_best(T, tested | {"trials": started, "checkpoint": kept})
        study.checkpoints.remove_unneeded(T, self._tester.trials)
        study.write()
        self._display.update(*self.progress())
        self._display.result(T)

    def _note_confirmation(self, trial: TrialRecord, scores: Evaluation) -> None:
        self._study.confirm(trial.id, chosen(files.CONFIRM_COLUMNS, scores))
        self._study.checkpoints.remove_unneeded(trial.row["T"], self._tester.trials)


def chosen(columns: Collection[str], scores: Evaluation) -> Row:
    """The scores that have a column."""
    values = dataclasses.asdict(scores)
    return {name: values[name] for name in columns if name in values}


def first_configurations(study: Study, T: int) -> list[dict[str, Scalar]]:
    """What is tried first at T: the best of the T before it and the initial ones, in turns.

    A configuration that was best there may stall at a larger T. With an initial one beside it
    from the start, a short search does not hang on it alone.
    """
    names = study.config.dimensions()
    before = [t for t in study.config.T if t < T][-1:]
    best = [
        row for t in before for row in study.history.ranked(t)[: study.config.search.carried_trials]
    ]
    carried = [{name: row[name] for name in names} for row in best]
    turns = zip_longest(carried, study.config.initial_points())
    points = [point for turn in turns for point in turn if point is not None]
    return [point for index, point in enumerate(points) if point not in points[:index]]
