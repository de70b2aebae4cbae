"""Hands trials to Ray Tune: new ones, and those that resume after a restart or a lost worker."""

from typing import Any

from ray.tune import PlacementGroupFactory
from ray.tune.experiment import Experiment, Trial
from ray.tune.search import SearchAlgorithm

from search.cluster.ray_cluster import Cluster
from search.cluster.ray_compat import NODE_ID_LABEL, set_last_result
from search.decide.agenda import Agenda
from search.decide.schedulers import shown_metrics
from search.execute.faults import Guard
from search.execute.trainable import METRICS
from search.study.records import TrialRecord
from search.study.study import Study
from studies import format as files


class PlainTrial(Trial):
    """A trial of which Tune keeps the last result, but no statistics of every number in it.

    The statistics would take 20 kB of the driver's memory per trial; the study has the curve.
    """

    def update_last_result(self, result: dict[str, Any]) -> None:
        set_last_result(self, {k: v for k, v in result.items() if k != METRICS})


class TrialSource(SearchAlgorithm):
    """Ray Tune's source of trials.

    Every run of the search gives Tune a fresh experiment and restores none: the agenda decides
    from the study's events which trials resume. A trial keeps its name for life, so that the
    scheduler, Optuna and the files mean the same trial.

    Args:
        cluster: says how many trials may run at a time, with and without a GPU.
        guard: keeps an error that ends the search.
    """

    def __init__(self, study: Study, agenda: Agenda, cluster: Cluster, guard: Guard):
        self._study = study
        self._agenda = agenda
        self._cluster = cluster
        self._guard = guard
        self._running: dict[str, float] = {}  # trial_id -> its share of a GPU

    def add_configurations(self, experiments: list[Experiment]) -> None:
        """Called once by Tune, before the first trial is asked for."""
        self._experiment = experiments[0].spec

    @property
    def total_samples(self) -> int:
        """Trials of the search at all T, earlier runs included."""
        return self._study.config.search.trials * len(self._study.history.lengths)

    def next_trial(self) -> Trial | None:
        """The next trial; None if no slot is free or no trial is left."""
        if not self._guard.error:
            with self._guard:
                self._agenda.advance()  # when nothing runs, Tune does nothing but ask here
        gpus = self._free_slot()
        if gpus is None or self.is_finished():
            return None
        with self._guard:
            trial = self._agenda.next_trial(self._running)
            if trial:
                self._running[trial.id] = gpus
                return self._make_trial(trial, gpus)
        return None

    def _free_slot(self) -> float | None:
        """The share of a GPU that a free slot has, GPUs first; None if no slot is free."""
        slots, share = self._cluster.slots, self._study.config.resources.gpus_per_trial
        if len(self._running) >= slots.total:  # some may wait for a kind of slot that is missing
            return None
        on_gpus = sum(gpus > 0 for gpus in self._running.values())
        if on_gpus < slots.gpu:
            return share
        return 0.0 if len(self._running) - on_gpus < slots.cpu else None

    def is_finished(self) -> bool:
        """Whether no trial will follow: none is left, and no running one could lose its worker."""
        return bool(self._finished or self._guard.error or self._agenda.over)

    def release(self, trial_id: str) -> None:
        """A trial no longer runs. If it has not ended, it will be handed out again."""
        self._running.pop(trial_id, None)

    def _hosts(self) -> dict[str, Any]:
        """What keeps a trial away from excluded hosts."""
        if not self._cluster.excluded_hosts:
            return {}
        others = f"!in({','.join(sorted(self._cluster.excluded_hosts))})"
        return {"bundle_label_selector": [{NODE_ID_LABEL: others}]}

    def _make_trial(self, trial: TrialRecord, gpus: float) -> Trial:
        config = self._study.config
        resources = config.resources
        settings: dict[str, Any] = {
            "training": dict(trial.training),
            "study": str(self._study.path.absolute() / files.STUDY_FILE),
            "checkpoints": str(self._study.checkpoints.folder(trial)),
            "reported": len(trial.curve),
            "metrics": shown_metrics(config, trial.stage),
            "threads": resources.threads_per_trial(),
            "gpus": gpus,
        }
        return PlainTrial(
            self._experiment["run"],
            trial_id=trial.id,
            config=settings,
            storage=self._experiment["storage"],
            experiment_tag=trial.id,
            placement_group_factory=PlacementGroupFactory(
                [{"CPU": resources.cpus_per_trial, "GPU": gpus}], **self._hosts()
            ),
            trial_dirname_creator=lambda trial: str(trial.trial_id),
        )
