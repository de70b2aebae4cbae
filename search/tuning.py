"""Searches one T with Ray Tune and keeps the study directory up to date while it does."""

import pickle
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from ray import tune
from ray.tune import Callback, CheckpointConfig, Stopper
from ray.tune.experiment import Trial
from ray.tune.schedulers import ASHAScheduler

import study_format as files
from search.display import Display
from search.interrupt import Interrupts
from search.sampler import TRIAL_ID, OptunaSearcher
from search.scheduler import RungKeeper, make_scheduler
from search.space import Scalar
from search.study import Study
from search.trainable import ERROR, STATUS, CopyTrainable

Progress = tuple[float, float, float]
"""Seconds that the whole search took so far, fraction done, seconds left."""

WRITE_INTERVAL = 2.0
"""Seconds between two rewrites of the CSV files while trials run."""


class Recorder(Callback):
    """Writes down what the trials report and shows it."""

    def __init__(self, study: Study, display: Display, progress: Callable[[], Progress]):
        self._study = study
        self._display = display
        self._progress = progress
        self._written = time.monotonic()

    def on_trial_start(
        self, iteration: int, trials: list[Trial], trial: Trial, **info: Any
    ) -> None:
        self._study.start_trial(trial.config["training"], trial.config[TRIAL_ID])
        self._display.trial_started(trial.config[TRIAL_ID])

    def on_trial_result(
        self, iteration: int, trials: list[Trial], trial: Trial, result: dict[str, Any], **info: Any
    ) -> None:
        trial_id = trial.config[TRIAL_ID]
        status = result[STATUS]
        if status != files.FAILED:
            self._study.add_result(trial_id, result)
        if result["done"]:
            self._end(trial_id, status or files.STOPPED_EARLY, result.get(ERROR))

    def on_trial_error(
        self, iteration: int, trials: list[Trial], trial: Trial, **info: Any
    ) -> None:
        self._end(trial.config[TRIAL_ID], files.FAILED, failure_reason(trial))

    def on_step_end(self, iteration: int, trials: list[Trial], **info: Any) -> None:
        if time.monotonic() - self._written >= WRITE_INTERVAL:
            self.write()
        self._display.update(*self._progress())

    def on_experiment_end(self, trials: list[Trial], **info: Any) -> None:
        self.write()

    def _end(self, trial_id: str, status: str, error: str | None = None) -> None:
        self._study.end_trial(trial_id, status, error)
        self._display.trial_ended(trial_id)

    def write(self) -> None:
        """Bring the files up to date."""
        self._study.write()
        self._study.write_state(self._progress()[0])
        self._written = time.monotonic()


def failure_reason(trial: Trial) -> str:
    """Why a trial crashed, in one line.

    Trial.get_error would look into the storage, where Tune copies the file only later.
    """
    error = pickle.loads(Path(trial.pickled_error_file).read_bytes())
    cause = getattr(error, "cause", None) or error  # of Ray's wrapper around a worker's exception
    return f"{type(cause).__name__}: {cause}".partition("\n")[0]


class SearchStopper(Stopper):
    """Ends the search at one T when enough trials have solved it, or its time is over.

    Tune pickles the stopper with the experiment and, on resume, replaces the one that it was
    given by the old one, whose deadline has passed. So a stopper unpickles as the newest one of
    the process.

    Args:
        deadline: on time.monotonic's clock; infinite for no limit.
    """

    _newest: ClassVar["SearchStopper"]

    def __init__(self, study: Study, T: int, deadline: float):
        SearchStopper._newest = self
        self._study = study
        self._T = T
        self._deadline = deadline

    def __reduce__(self) -> tuple[Any, ...]:
        return SearchStopper._get_newest, ()

    @classmethod
    def _get_newest(cls) -> "SearchStopper":
        return cls._newest

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return False  # single trials are the scheduler's

    def stop_all(self) -> bool:
        solved = self._study.solved_trials(self._T) >= self._study.config.search.solved_trials
        return solved or time.monotonic() >= self._deadline


def trial_directory(trial: Trial) -> str:
    """Name of a trial's folder: short, so that paths stay short with many hyperparameters."""
    return str(trial.config[TRIAL_ID])


def tune_length(
    study: Study,
    T: int,
    *,
    initial: list[dict[str, Scalar]],
    deadline: float,
    max_concurrent: int,
    display: Display,
    progress: Callable[[], Progress],
    interrupts: Interrupts,
) -> None:
    """Search one T until trials, time or need run out; go on with it if it was begun before.

    Args:
        initial: configurations to be tried first.
        deadline: when to stop, on time.monotonic's clock.
        max_concurrent: trials at a time.
        progress: seconds that the whole search took so far, fraction done, seconds left.

    Raises:
        KeyboardInterrupt: the user ended the search; Tune's state and the files are saved.
    """
    config = study.config
    ray_folder = (study.path / files.RAY_FOLDER).absolute()
    scheduler = make_scheduler(config)
    callbacks: list[Callback] = [Recorder(study, display, progress)]
    if isinstance(scheduler, ASHAScheduler):
        callbacks.append(RungKeeper(scheduler))
    searcher = OptunaSearcher(config, T, study.path / files.OPTUNA_FILE, initial, max_concurrent)
    name = f"T={T}"
    begun = any((ray_folder / name).glob("experiment_state-*.json"))
    with interrupts.tuning():
        tune.run(
            CopyTrainable,
            name=name,
            storage_path=str(ray_folder),
            num_samples=config.search.trials,
            search_alg=searcher,
            scheduler=scheduler,
            stop=SearchStopper(study, T, deadline),
            callbacks=callbacks,
            resources_per_trial={
                "cpu": config.resources.cpus_per_trial,
                "gpu": config.resources.gpus_per_trial,
            },
            checkpoint_config=CheckpointConfig(
                checkpoint_frequency=1,
                checkpoint_at_end=True,
                num_to_keep=1,  # the best; Tune keeps the latest as well
                checkpoint_score_attribute="validation_accuracy",
            ),
            trial_dirname_creator=trial_directory,
            reuse_actors=True,
            resume=begun,
            raise_on_failed_trial=False,
            verbose=0,
        )
    searcher.abandon_live_trials()
