"""A study while its trials run, alone or beside others; and whose turn it is."""

from collections.abc import Sequence

from search.decide.agenda import Agenda
from search.decide.schedulers import StudyScheduler
from search.decide.steering import Steering
from search.execute.background_evaluator import BackgroundEvaluator, EvaluationThread
from search.execute.faults import Guard
from search.execute.remote_suggester import RemoteSuggester
from search.study.listener import Listener
from search.study.optuna_journal import OptunaJournal
from search.study.study import Study
from studies import format as files


class StudyRun:
    """A study, who decides for it, and what has gone wrong with it. Call :meth:`begin` first.

    An error of the study is kept in ``guard``. It ends this study and no other.

    Attributes:
        study: the study.
        listener: is told what happens in it.
        guard: keeps the error that has ended it.
        agenda: says what it does next.
        steering: does what users ask of it.
        scheduler: stops its trials early.
        running: its trials that have a slot: trial_id -> their share of a GPU.
    """

    agenda: Agenda
    steering: Steering
    scheduler: StudyScheduler

    def __init__(self, study: Study, listener: Listener):
        self.study = study
        self.listener = listener
        self.guard = Guard()
        self.running: dict[str, float] = {}

    def begin(self, thread: EvaluationThread) -> None:
        """Take up the study where it is: at its beginning, or where an earlier run ended.

        Args:
            thread: tests its models.
        """
        study = self.study
        self.running.clear()
        if self.guard.error:
            return
        with self.guard:
            journal = OptunaJournal(study.appended_file(files.OPTUNA_FILE))
            self.scheduler = StudyScheduler(study)
            evaluator = BackgroundEvaluator(thread)
            self.agenda = Agenda(study, journal, evaluator, self.listener, RemoteSuggester)
            self.agenda.begin()
            self.steering = Steering(study, self.agenda, self.listener, self.running)
            self.steering.advance()
            self.agenda.advance()

    @property
    def over(self) -> bool:
        """Whether no trial of the study is left to run; tests may be."""
        return self.guard.error is not None or self.agenda.over

    def advance(self) -> None:
        """Take the steps that are due; see :meth:`search.decide.agenda.Agenda.advance`."""
        if not self.guard.error:
            with self.guard:
                self.steering.advance()
                self.agenda.advance()

    def finish(self) -> None:
        """Wait for the tests; see :meth:`search.decide.agenda.Agenda.finish`."""
        if not self.guard.error:
            with self.guard:
                self.agenda.finish()


def in_turn(runs: Sequence[StudyRun]) -> list[StudyRun]:
    """The studies in the order in which they may have a free slot.

    First comes the study with the fewest running trials, since trials that run at the same time
    cannot learn from each other; of several, the one that has used the least time.
    """
    waiting = [run for run in runs if not run.over]
    return sorted(waiting, key=lambda run: (len(run.running), run.study.elapsed()))


def share_time(runs: Sequence[StudyRun]) -> None:
    """Let the clocks of the studies run in proportion to the slots that each has now.

    While no trial runs, studies with something to do share the time equally.
    """
    shares = [len(run.running) for run in runs]
    if not any(shares):
        shares = [int(not run.over) for run in runs]
    for run, share in zip(runs, shares, strict=True):
        if total := sum(shares):
            run.study.clock.run_at(share / total)
