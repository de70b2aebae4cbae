"""This project's search as a policy of the simulator: its real sampler, scheduler and history."""

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ray.tune.schedulers import TrialScheduler

from benchmarks.replay.curves import Evaluation
from search.config.study_config import StudyConfig
from search.decide.agenda import first_configurations
from search.decide.samplers import Sampler
from search.decide.schedulers import StudyScheduler
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


class StudySearch:
    """The search at one T of a study, as ``search.run`` does it.

    Args:
        journal: Optuna's copy, if there is to be one.
    """

    def __init__(self, study: Study, T: int, journal: OptunaJournal | None = None):
        self._study = study
        self._T = T
        self._sampler = Sampler(study, T, journal)
        self._sampler.catch_up()
        self._scheduler = StudyScheduler(study)
        study.begin_length(T, first_configurations(study, T))
        self._names: dict[int, str] = {}

    def ask(self, trial: int) -> Mapping[str, Any]:
        name, training = self._sampler.ask(self._study.history.lengths[self._T].initial)
        values = training.to_dict()
        self._sampler.started(self._study.start_trial(name, values))
        self._names[trial] = name
        self._scheduler.on_trial_add(None, SimpleNamespace(trial_id=name))
        return values

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

    def end(self) -> None:
        """The search at this T has solved it often enough."""
        self._study.end_length(self._T, "solved_trials")
