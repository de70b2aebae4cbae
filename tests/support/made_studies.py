"""Studies for the tests of the packages' parts: no Ray, no training."""

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from points import point
from rich.console import Console

from copytask import Trainer, TrainingConfig
from search.config.study_config import StudyConfig
from search.console.display import Display
from search.console.screen import Screen
from search.decide.agenda import Agenda
from search.execute.background_evaluator import BackgroundEvaluator, EvaluationThread
from search.study.checkpoints import checkpoint_path
from search.study.listener import Listener, Listeners
from search.study.optuna_journal import OptunaJournal
from search.study.result_files import ResultFiles
from search.study.study import Study
from studies import format as files
from studies.events import BestTrial

SPACE = {
    "learning_rate": {"low": 1e-4, "high": 1e-2, "log": True},
    "hidden_size": {"choices": [8, 16]},
    "curriculum_length": 10,
}


def make_config(T=(5, 9), **search) -> StudyConfig:
    training = {"max_tokens": 1000, "tokens_per_iteration": 100, "precision": "fp32"}
    search = {"patience": None, "race_seeds": 0, **search}
    final = {"stop_when_solved": False, "validation_payloads": 500}
    return StudyConfig(
        model="gru", T=list(T), training=training, space=SPACE, search=search, final=final
    )


def start(study: Study, trial_id: str, T: int = 5, **changes) -> TrainingConfig:
    values = {"learning_rate": 1e-3, "hidden_size": 8, **changes}
    training = study.config.training_config(T, values, seed=7)
    study.start_trial(trial_id, training.to_dict())
    return training


def report(study: Study, trial_id: str, iteration: int, accuracy: float, status="", **changes):
    study.add_result(trial_id, point(iteration, accuracy, **changes), 99, status)


def search(study: Study, T: int, accuracy: float = 0.5) -> None:
    """A search at T with one trial, which is tested."""
    study.begin_length(T, [])
    start(study, f"T{T}-0000", T)
    report(study, f"T{T}-0000", 1, accuracy, files.COMPLETED)
    study.end_length(T, "trials")
    study.set_best(T, best(T, accuracy))


def best(T: int, accuracy: float, low: float = 0.4, high: float = 0.6) -> BestTrial:
    """The only trial of :func:`search`, tested."""
    return BestTrial(
        trial_id=f"T{T}-0000", trials=1, checkpoint=f"checkpoints/T={T}", accuracy=accuracy,
        accuracy_low=low, accuracy_high=high,
    )  # fmt: skip


def make_checkpoint(study: Study, training: TrainingConfig, trial_id: str, iteration: int = 1):
    path = checkpoint_path(study.checkpoints.folder(study.history.trials[trial_id]), iteration)
    Trainer(training).save(path)
    return path


@contextmanager
def agenda_of(study: Study, output: io.StringIO | None = None, *more: Listener) -> Iterator[Agenda]:
    """What the study does next, without Ray."""
    screen = Screen(Console(file=output or io.StringIO(), width=120), study.elapsed)
    display = Display(study, screen)
    listener = Listeners(ResultFiles(study), display, *more)
    with EvaluationThread() as thread:
        journal = OptunaJournal(study.path / files.OPTUNA_FILE)
        agenda = Agenda(study, journal, BackgroundEvaluator(thread), listener)
        agenda.begin()
        yield agenda


def read(path: Path) -> list[dict]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))
