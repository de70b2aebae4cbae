"""Hands trials to Ray Tune: new ones, and those that go on after a restart or a lost worker."""

import time
from typing import Any

from ray.tune import PlacementGroupFactory
from ray.tune.experiment import Experiment, Trial
from ray.tune.search import SearchAlgorithm

from search.config import METRIC_NAMES
from search.faults import StorageGuard
from search.history import TrialRecord
from search.sampler import Sampler
from search.study import Study
from search.trainable import METRICS


class PlainTrial(Trial):
    """A trial of which Tune keeps its last result, but no statistics of every number in it.

    Those take 20 kB a trial in the driver, as long as it lives; the study has the curve.
    """

    def update_last_result(self, result: dict[str, Any]) -> None:
        self.run_metadata.last_result = {k: v for k, v in result.items() if k != METRICS}
        self.run_metadata.last_result_time = time.time()


class TrialSource(SearchAlgorithm):
    """Ray Tune's source of trials at one T.

    Tune is given a fresh experiment in every run of the search, and never restores one: what
    goes on is decided here, from the study's events. A trial keeps its name for life, so that
    scheduler, Optuna and files mean the same one.

    Args:
        max_concurrent: trials that may run at a time, also after a restart.
        guard: keeps an error of the storage.
    """

    def __init__(
        self,
        study: Study,
        T: int,
        sampler: Sampler,
        max_concurrent: int,
        guard: StorageGuard,
    ):
        self._study = study
        self._length = study.lengths[T]
        self._sampler = sampler
        self._max_concurrent = max_concurrent
        self._guard = guard
        self._running: set[str] = set()

    def add_configurations(self, experiments: list[Experiment]) -> None:
        """Called once by Tune, before the first trial is asked for."""
        self._experiment = experiments[0].spec

    @property
    def total_samples(self) -> int:
        """Trials at this T, earlier runs of the search included."""
        return self._study.config.search.trials

    def next_trial(self) -> Trial | None:
        """The next trial, or None while as many as may be are running, or if there is none."""
        if len(self._running) >= self._max_concurrent or self.is_finished():
            return None
        with self._guard:
            waiting = [t for t in self._length.live.values() if t.id not in self._running]
            if not waiting and self._may_start():
                waiting = [self._start()]
            if waiting:
                self._running.add(waiting[0].id)
                return self._make_trial(waiting[0])
        return None

    def is_finished(self) -> bool:
        """Whether no trial is to come: none is left, and no live one could lose its worker."""
        if self._finished or self._guard.error:
            return True
        return not (self._may_start() or self._length.live)

    def release(self, trial_id: str) -> None:
        """A trial does not run any more. If it has not ended, it will be handed out again."""
        self._running.discard(trial_id)

    def _may_start(self) -> bool:
        return len(self._length.trials) < self._study.config.search.trials

    def _start(self) -> TrialRecord:
        name, training = self._sampler.ask(self._length.initial)
        trial = self._study.start_trial(name, training.to_dict())
        self._sampler.started(trial)
        return trial

    def _make_trial(self, trial: TrialRecord) -> Trial:
        config = self._study.config
        resources = config.resources
        settings: dict[str, Any] = {
            "training": dict(trial.training),
            "checkpoints": str(self._study.trial_folder(trial)),
            "reported": len(trial.curve),
            "metrics": ["iteration", METRIC_NAMES[config.search.metric]],
            "threads": resources.threads_per_trial(),
            "gpus": resources.gpus_per_trial,
        }
        return PlainTrial(
            self._experiment["run"],
            trial_id=trial.id,
            config=settings,
            storage=self._experiment["storage"],
            experiment_tag=trial.id,
            placement_group_factory=PlacementGroupFactory(
                [{"CPU": resources.cpus_per_trial, "GPU": resources.gpus_per_trial}]
            ),
            trial_dirname_creator=lambda trial: str(trial.trial_id),
        )
