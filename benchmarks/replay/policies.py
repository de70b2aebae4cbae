"""This project's search as a policy of the simulator: its real sampler, scheduler and history."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from optuna.trial import FrozenTrial
from ray.tune.schedulers import TrialScheduler

from benchmarks.replay.curves import Evaluation
from search.config.study_config import StudyConfig
from search.decide.agenda import first_configurations
from search.decide.samplers import MakeSuggester, Sampler
from search.decide.schedulers import StudyScheduler
from search.decide.suggester import Points, Suggester, Training
from search.execute.remote_suggester import AHEAD, TOGETHER
from search.study.history import History
from search.study.optuna_journal import OptunaJournal
from search.study.study import Study
from studies import format as files
from studies.events import Event, Point


class Nowhere:
    """The log and the lock of a study that is not written to a disk."""

    def append(self, event: Event, can_wait: bool = False) -> None:
        """Forget an event."""

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Nothing is open."""

    def check(self) -> None:
        """Nobody else can have the study."""

    def release(self) -> None:
        """Nobody waits for the study."""


def memory_study(config: StudyConfig) -> Study:
    """A study that is not written to a disk."""
    return Study(Path(), History(config), Nowhere(), Nowhere())


def as_point(evaluation: Evaluation) -> Point:
    """A point of a trial's curve with this evaluation, and zeros for what no policy looks at."""
    return Point(
        step=0, learning_rate=0.0, max_length=0, training_loss=0.0, exact_match=0.0,
        validation_loss=0.0, recalled_bits=0.0, **evaluation._asdict(),
    )  # fmt: skip


class OtherProcess:
    """Stands for the process in which a real search has its suggestions made.

    Attributes:
        seconds: processor time that it would have spent so far.
    """

    def __init__(self) -> None:
        self.seconds = 0.0

    def suggester(self, config: StudyConfig, T: int) -> Suggester:
        """A suggester whose time counts as that of this process."""
        return TimedSuggester(self, config, T)

    @contextmanager
    def works(self) -> Iterator[None]:
        """What is done inside this context is done by it."""
        start = time.thread_time()
        yield
        self.seconds += time.thread_time() - start


class TimedSuggester(Suggester):
    """See :meth:`OtherProcess.suggester`."""

    ahead = AHEAD
    together = TOGETHER

    def __init__(self, process: OtherProcess, config: StudyConfig, T: int):
        super().__init__(config, T)
        self._process = process

    def begin(self, count: int, trials: Mapping[int, FrozenTrial]) -> None:
        with self._process.works():
            super().begin(count, trials)

    def request(self, number: int, points: Points) -> list[Callable[[], Training]]:
        with self._process.works():
            trainings = [suggested() for suggested in super().request(number, points)]
        return [partial(lambda training: training, training) for training in trainings]

    def update(self, number: int, trial: FrozenTrial) -> None:
        with self._process.works():
            super().update(number, trial)


class StudySearch:
    """The search at one T of a study, as ``search.run`` does it.

    Args:
        journal: Optuna's copy, if there is to be one.
        elsewhere: see :class:`search.decide.samplers.Sampler`.
    """

    def __init__(
        self,
        study: Study,
        T: int,
        journal: OptunaJournal | None = None,
        elsewhere: MakeSuggester | None = None,
    ):
        self._study = study
        self._T = T
        self._sampler = Sampler(study, T, journal, elsewhere)
        self._sampler.catch_up()
        self._scheduler = StudyScheduler(study)
        study.begin_length(T, first_configurations(study, T))
        self._names: dict[int, str] = {}

    def ask(self, trial: int) -> Mapping[str, Any]:
        name, training = self._sampler.ask(self._study.history.lengths[self._T].initial)
        self._sampler.started(self._study.start_trial(name, training))
        self._names[trial] = name
        self._scheduler.on_trial_add(None, SimpleNamespace(trial_id=name))
        return training

    def report(self, trial: int, evaluation: Evaluation, final: bool) -> bool:
        name = self._names[trial]
        known = SimpleNamespace(trial_id=name)  # all that a scheduler asks of a trial
        result = evaluation._asdict()
        status = files.COMPLETED if final else ""
        if not final:  # Tune does not ask about the last result
            decision = self._scheduler.on_trial_result(None, known, result)
            status = files.STOPPED_EARLY if decision == TrialScheduler.STOP else ""
        self._study.add_result(name, as_point(evaluation), 0, status)
        if status:
            self._scheduler.on_trial_complete(None, known, result)
        self._sampler.reported(self._study.history.trials[name])
        return not status

    def fail(self, trial: int, evaluation: Evaluation) -> None:
        name = self._names[trial]
        self._study.fail_trial(name, "diverged")
        self._sampler.reported(self._study.history.trials[name])
