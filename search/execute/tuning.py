"""Runs the trials of one study or several with Ray Tune until nothing is left to do."""

import tempfile
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

from ray import tune
from ray.tune import Stopper
from ray.tune.experiment import Trial
from ray.tune.progress_reporter import TrialProgressCallback
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.stopper import NoopStopper

from copytask import configure_process
from search.cluster.ray_cluster import Cluster
from search.cluster.ray_compat import ReadyEvents, forget_ended, start_workers_together
from search.errors import ClusterLostError
from search.execute.background_evaluator import EvaluationThread
from search.execute.interrupts import Interrupts
from search.execute.recorder import Recorder
from search.execute.study_run import StudyRun, share_time
from search.execute.trainable import CopyTrainable
from search.execute.trial_source import TrialSource
from search.study.records import TrialRecord


class SearchStopper(Stopper):
    """Ends the run when nothing is left to do, or when it cannot continue.

    Args:
        must_end: whether that is so.
    """

    def __init__(self, must_end: Callable[[], bool]):
        self._must_end = must_end

    def __reduce__(self) -> tuple[Any, ...]:
        return NoopStopper, ()  # Tune pickles it into a state that is never restored

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        return False  # single trials are the scheduler's

    def stop_all(self) -> bool:
        return self._must_end()


class NoProgress(TrialProgressCallback):
    """Prints nothing, in place of the callback that Tune would add, which keeps every trial."""

    def on_trial_result(self, *told: Any, **info: Any) -> None:
        """Keep nothing."""

    def on_trial_error(self, *told: Any, **info: Any) -> None:
        """Keep nothing."""

    def on_trial_complete(self, *told: Any, **info: Any) -> None:
        """Keep nothing."""


class SharedScheduler(FIFOScheduler):
    """Asks the scheduler of the study that a trial is of, which knows the trial by its name there.

    Args:
        find: the study of a trial, and what is known of the trial there.
    """

    def __init__(self, find: Callable[[Trial], tuple[StudyRun, TrialRecord]]):
        super().__init__()
        self._find = find

    def on_trial_add(self, tune_controller: Any, trial: Trial) -> None:
        ReadyEvents.use(tune_controller)
        forget_ended(tune_controller)
        run, record = self._find(trial)
        run.scheduler.on_trial_add(tune_controller, named(record))

    def on_trial_result(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> str:
        run, record = self._find(trial)
        if run.guard.error:
            return str(TrialScheduler.STOP)
        return run.scheduler.on_trial_result(tune_controller, named(record), result)

    def on_trial_complete(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> None:
        run, record = self._find(trial)
        run.scheduler.on_trial_complete(tune_controller, named(record), result)

    def choose_trial_to_run(self, tune_controller: Any) -> None:
        """Choose none: Tune then starts trials in the order in which it got them. Choosing would
        mean to look through all trials at each step."""


def named(record: TrialRecord) -> Any:
    """All that a scheduler of ours asks of a trial of Tune."""
    return SimpleNamespace(trial_id=record.id)


def run_trials(runs: Sequence[StudyRun], cluster: Cluster, interrupts: Interrupts) -> None:
    """Run trials until nothing is left to do, resuming those that were begun before.

    All run in one call of Tune: its workers, which take seconds to start, serve all studies.

    Raises:
        KeyboardInterrupt: the user ended the search, by Ctrl-C or a signal.
        ClusterLostError: Ray has no node any more.
    """
    source = TrialSource(runs, cluster)
    recorder = Recorder(runs, cluster, source)

    def over() -> bool:
        return all(run.over for run in runs)

    start_workers_together(cluster.slots.total)
    with interrupts.tuning(), tempfile.TemporaryDirectory(prefix="copytask-search-") as folder:
        tune.run(
            CopyTrainable,
            name="study",
            storage_path=folder,  # for what Tune writes about itself: nothing of it is needed later
            search_alg=source,
            scheduler=SharedScheduler(source.find),
            stop=SearchStopper(lambda: over() or recorder.cluster_lost or interrupts.requested),
            callbacks=[recorder, NoProgress()],
            reuse_actors=True,
            raise_on_failed_trial=False,
            verbose=0,
        )
    if over():
        return
    if recorder.cluster_lost:
        raise ClusterLostError("Ray has lost its last host; continue with --resume")
    raise KeyboardInterrupt  # a SIGUSR1 from outside, for which Tune has a handler of its own


def search_studies(runs: Sequence[StudyRun], cluster: Cluster, interrupts: Interrupts) -> None:
    """Do what studies still have to do: searches, final trainings, confirmations, tests.

    They share the slots of the cluster. An error of a study is kept in its ``guard``, and the
    others go on.

    Raises:
        ClusterLostError: Ray has no node any more.
        KeyboardInterrupt: the user ended the search; the studies can be resumed.
    """
    configure_process()
    with EvaluationThread() as thread:
        for run in runs:
            run.begin(thread)
        share_time(runs)
        if not all(run.over for run in runs):
            run_trials(runs, cluster, interrupts)
        for run in runs:
            run.finish()
