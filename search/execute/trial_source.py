"""Hands trials to Ray Tune: new ones, and those that resume after a restart or a lost worker."""

from collections.abc import Sequence
from typing import Any

from ray.tune import PlacementGroupFactory
from ray.tune.experiment import Experiment, Trial
from ray.tune.search import SearchAlgorithm

from search.cluster.ray_cluster import Cluster
from search.cluster.ray_compat import NODE_ID_LABEL
from search.decide.samplers import MANY_TRIALS
from search.decide.schedulers import rung_iterations, shown_metrics
from search.execute.plain_trial import PlainTrial
from search.execute.study_run import StudyRun, in_turn, share_time
from search.study.records import TrialRecord
from search.study.study import Study
from studies import format as files

MESSAGES = 100.0
"""Results a second that the driver takes in with ease. With many slots, a worker reports the
iterations of as many seconds together as all of them need for that, if nothing is to be decided
after them."""


class TrialSource(SearchAlgorithm):
    """Ray Tune's source of trials, from one study or several that share the slots.

    Every run of the search gives Tune a fresh experiment and restores none: the agendas decide
    from the studies' events which trials resume. A trial keeps its name for life, so that the
    scheduler, Optuna and the files mean the same trial. Tune knows it as STUDY.TRIAL, for studies
    use the same names.

    Args:
        runs: the studies; they have the same ``resources``.
        cluster: says how many trials may run at a time, with and without a GPU.
    """

    def __init__(self, runs: Sequence[StudyRun], cluster: Cluster):
        self._runs = runs
        self._cluster = cluster
        self._by_name = {run.study.path.name: run for run in runs}
        self._placements: dict[tuple[float, float, str], PlacementGroupFactory] = {}
        self._rungs: dict[tuple[str, int, str], list[int]] = {}

    def add_configurations(self, experiments: list[Experiment]) -> None:
        """Called once by Tune, before the first trial is asked for."""
        self._experiment = experiments[0].spec

    @property
    def total_samples(self) -> int:
        """Trials of the search at all T, earlier runs included."""
        studies = [run.study for run in self._runs]
        return sum(s.config.search.trials * len(s.history.lengths) for s in studies)

    def find(self, trial: Trial) -> tuple[StudyRun, TrialRecord]:
        """The study of a trial, and what is known of the trial there."""
        study, _, name = trial.trial_id.rpartition(".")
        run = self._by_name[study]
        return run, run.study.history.trials[name]

    def next_trial(self) -> Trial | None:
        """The next trial; None if no slot is free or no trial is left."""
        if not any(run.running for run in self._runs):
            for run in self._runs:
                run.advance()  # when nothing runs, Tune does nothing but ask here
        gpus = self._free_slot()
        if gpus is None:
            return None
        for run in in_turn(self._runs):
            with run.guard:
                trial = run.agenda.next_trial(run.running)
                if trial:
                    handed_out = self._make_trial(run, trial, gpus)
                    run.running[trial.id] = gpus
                    share_time(self._runs)
                    return handed_out
        return None

    def _free_slot(self) -> float | None:
        """The share of a GPU that a free slot has, GPUs first; None if no slot is free."""
        slots = self._cluster.slots
        running = sum(len(run.running) for run in self._runs)
        if running >= slots.total:  # some may wait for a kind of slot that is missing
            return None
        on_gpus = sum(gpus > 0 for run in self._runs for gpus in run.running.values())
        if on_gpus < slots.gpu:
            return self._runs[0].study.config.resources.gpus_per_trial
        return 0.0 if running - on_gpus < slots.cpu else None

    def is_finished(self) -> bool:
        """Whether no trial will follow: none is left, and no running one could lose its worker."""
        return bool(self._finished or all(run.over for run in self._runs))

    def release(self, run: StudyRun, trial_id: str) -> None:
        """A trial no longer runs. If it has not ended, it will be handed out again."""
        run.running.pop(trial_id, None)
        share_time(self._runs)

    def _placement(self, cpus: float, gpus: float) -> PlacementGroupFactory:
        """What a trial needs, and what keeps it away from excluded hosts; the same for equal ones,
        because Tune compares them often."""
        excluded = ",".join(sorted(self._cluster.excluded_hosts))
        if (cpus, gpus, excluded) not in self._placements:
            hosts = {"bundle_label_selector": [{NODE_ID_LABEL: f"!in({excluded})"}]}
            self._placements[cpus, gpus, excluded] = PlacementGroupFactory(
                [{"CPU": cpus, "GPU": gpus}], **(hosts if excluded else {})
            )
        return self._placements[cpus, gpus, excluded]

    def _rungs_of(self, study: Study, T: int, stage: str) -> list[int]:
        """See :func:`rung_iterations`; found once, for that makes a scheduler."""
        key = study.path.name, T, stage
        if key not in self._rungs:
            self._rungs[key] = rung_iterations(study.config, T, stage)
        return self._rungs[key]

    def _make_trial(self, run: StudyRun, trial: TrialRecord, gpus: float) -> Trial:
        study, resources = run.study, run.study.config.resources
        slots = self._cluster.slots.total
        settings: dict[str, Any] = {
            "training": dict(trial.training),
            "study": str(study.path.absolute() / files.STUDY_FILE),
            "checkpoints": str(study.checkpoints.folder(trial)),
            "reported": len(trial.curve),
            "metrics": shown_metrics(study.config, trial.stage),
            "rungs": self._rungs_of(study, trial.T, trial.stage),
            "group_seconds": slots / MESSAGES if slots >= MANY_TRIALS else 0.0,
            "threads": resources.threads_per_trial(),
            "gpus": gpus,
        }
        return PlainTrial(
            trial_id=f"{study.path.name}.{trial.id}",
            config=settings,
            storage=self._experiment["storage"],
            experiment_tag=trial.id,
            placement_group_factory=self._placement(resources.cpus_per_trial, gpus),
        )
