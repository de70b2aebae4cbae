"""The tests of a study's best models, on payloads that chose nothing.

The winner at each T is tested once its search is over, and each confirmation once it has ended.
Tests run beside the search, so their scores come in later: see :meth:`ModelTests.collect`.
"""

from collections.abc import Callable, Set
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from copytask import Evaluation, Purpose
from search.errors import SearchFailedError
from search.study.listener import Listener
from search.study.records import TrialRecord
from search.study.study import Study
from studies import format as files
from studies.event_files import make_record
from studies.events import BestTrial, Scores
from studies.paths import StudyPath


@dataclass(frozen=True)
class ModelTest:
    """What :func:`copytask.evaluate` is to test.

    Attributes:
        checkpoint: of the trial's model.
        model: its name; a checkpoint of another one is refused.
        payloads: how many.
    """

    trial_id: str
    checkpoint: StudyPath
    model: str
    task: str
    T: int
    payloads: int
    seed: int
    purpose: Purpose


class Evaluator(Protocol):
    """Tests models while the search goes on."""

    @property
    def trials(self) -> Set[str]:
        """The trials whose checkpoints are needed."""

    def submit(self, test: ModelTest, then: Callable[[Evaluation], None]) -> None:
        """Run a test; :meth:`collect` calls ``then`` with its scores."""

    def collect(self, wait: bool = False) -> None:
        """Hand on the scores of the tests that are done; of all of them if told to wait.

        Raises:
            OSError, ValueError: a checkpoint cannot be read.
        """


class ModelTests:
    """Has the winner at each T and the confirmations of a study tested, and records the scores.

    Methods raise OSError if the study cannot be written.
    """

    def __init__(self, study: Study, evaluator: Evaluator, listener: Listener):
        self._study = study
        self._history = study.history
        self._evaluator = evaluator
        self._listener = listener
        self._untestable: dict[str, str] = {}  # trial_id -> why

    @property
    def trials(self) -> Set[str]:
        """The trials that are being tested."""
        return self._evaluator.trials

    def collect(self, wait: bool = False) -> None:
        """Record the scores of the tests that are done; of all of them if told to wait."""
        self._evaluator.collect(wait)

    def check(self) -> None:
        """Whether everything that was to be tested could be.

        Raises:
            SearchFailedError: a model has no whole checkpoint.
        """
        for trial_id, reason in self._untestable.items():
            trial = self._history.trials[trial_id]
            if trial.stage == files.CONFIRM or trial is self._history.winner(trial.T):
                raise SearchFailedError(reason)

    def test_winner(self, T: int) -> None:
        """Test the winner at T, unless that was done or is under way."""
        winner = self._history.winner(T)
        if winner is None or self._history.is_tested(T, winner) or winner.id in self.trials:
            return
        self._study.checkpoints.put_back(T)
        if checkpoint := self._checkpoint(winner):
            seed = self._study.config.search.seed
            then = partial(self._note_winner, winner, checkpoint)
            self._submit(winner, checkpoint, seed, Purpose.TEST, then)

    def test_confirmation(self, trial: TrialRecord) -> None:
        """Test a confirmation on payloads of its own: the stream of its own seed.

        If that is under way, nothing happens.
        """
        if trial.id in self.trials:
            return
        if not trial.curve:  # it failed before it had a model
            self._note_confirmation(trial, None)
        elif checkpoint := self._checkpoint(trial):
            self._submit(
                trial,
                checkpoint,
                trial.training["seed"],
                Purpose.CONFIRMATION,
                lambda scores: self._note_confirmation(trial, make_record(Scores, vars(scores))),
            )

    def _checkpoint(self, trial: TrialRecord) -> StudyPath | None:
        """What is to be tested of a trial; None, with a note, if no checkpoint of it is whole."""
        try:
            return self._study.checkpoints.best(trial)
        except SearchFailedError as error:
            if trial.id not in self._untestable:
                self._listener.note(str(error))
            self._untestable[trial.id] = str(error)
            return None

    def _submit(
        self,
        trial: TrialRecord,
        checkpoint: StudyPath,
        seed: int,
        purpose: Purpose,
        then: Callable[[Evaluation], None],
    ) -> None:
        config = self._study.config
        test = ModelTest(
            trial.id,
            checkpoint,
            model=config.model,
            task=config.task,
            T=trial.T,
            payloads=config.search.test_payloads,
            seed=seed,
            purpose=purpose,
        )
        self._evaluator.submit(test, then)

    def _note_winner(self, winner: TrialRecord, checkpoint: StudyPath, scores: Evaluation) -> None:
        study, T = self._study, winner.T
        kept = study.checkpoints.keep(checkpoint, T)
        started = len(study.history.lengths[T].trials)
        tested = {"trial_id": winner.id, "trials": started, "checkpoint": kept, **vars(scores)}
        study.set_best(T, make_record(BestTrial, tested))
        study.checkpoints.remove_unneeded(T, self.trials)
        self._listener.best_changed(T)

    def _note_confirmation(self, trial: TrialRecord, scores: Scores | None) -> None:
        self._study.confirm(trial.id, scores)
        self._study.checkpoints.remove_unneeded(trial.T, self.trials)
        self._listener.confirmed(trial)
