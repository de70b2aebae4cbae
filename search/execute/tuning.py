"""Runs the trials of a study with Ray Tune until nothing is left to do."""

import tempfile
from collections.abc import Callable
from typing import Any

from ray import tune
from ray.tune import Stopper
from ray.tune.stopper import NoopStopper

from copytask import configure_process
from search.cluster.ray_cluster import Cluster
from search.cluster.ray_compat import start_workers_together
from search.decide.agenda import Agenda
from search.decide.schedulers import StudyScheduler
from search.errors import ClusterLostError, StorageError
from search.execute.background_evaluator import BackgroundEvaluator
from search.execute.faults import Guard
from search.execute.interrupts import Interrupts
from search.execute.recorder import Recorder
from search.execute.trainable import CopyTrainable
from search.execute.trial_source import TrialSource
from search.study.listener import Listener
from search.study.optuna_journal import open_journal
from search.study.study import Study
from studies import format as files


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


def tune_study(
    study: Study, agenda: Agenda, cluster: Cluster, listener: Listener, interrupts: Interrupts
) -> None:
    """Run trials until nothing is left to do, resuming those that were begun before.

    All run in one call of Tune: its workers, which take seconds to start, serve the whole study.

    Raises:
        KeyboardInterrupt: the user ended the search, by Ctrl-C or a signal.
        OSError: the study cannot be written any more.
        SearchFailedError: it came to nothing, or Ray has no node any more (ClusterLostError).
    """
    guard = Guard()
    source = TrialSource(study, agenda, cluster, guard)
    recorder = Recorder(study, agenda, cluster, source, guard, listener)

    def must_end() -> bool:
        failed = guard.error is not None or recorder.cluster_lost
        return failed or agenda.over or interrupts.requested

    start_workers_together(cluster.slots.total)
    with interrupts.tuning(), tempfile.TemporaryDirectory(prefix="copytask-search-") as folder:
        tune.run(
            CopyTrainable,
            name="study",
            storage_path=folder,  # for what Tune writes about itself: nothing of it is needed later
            search_alg=source,
            scheduler=StudyScheduler(study),
            stop=SearchStopper(must_end),
            callbacks=[recorder],
            reuse_actors=True,
            raise_on_failed_trial=False,
            verbose=0,
        )
    if guard.error:
        raise guard.error
    if recorder.cluster_lost:
        raise ClusterLostError("Ray has lost its last host; continue with --resume")
    if not agenda.over:
        raise KeyboardInterrupt  # a SIGUSR1 from outside, for which Tune has a handler of its own


def search_study(
    study: Study, cluster: Cluster, listener: Listener, interrupts: Interrupts
) -> None:
    """Do what a study still has to do: searches, final trainings, confirmations, tests.

    Raises:
        SearchFailedError: something that the search depends on is gone.
        KeyboardInterrupt: the user ended the search; the study can be resumed.
    """
    configure_process()
    try:
        journal = open_journal(study.appended_file(files.OPTUNA_FILE))
        with BackgroundEvaluator() as evaluator:
            agenda = Agenda(study, journal, evaluator, listener)
            agenda.begin()
            agenda.advance()
            if not agenda.over:
                tune_study(study, agenda, cluster, listener, interrupts)
            agenda.finish()
    except OSError as error:
        raise StorageError(study.path, error) from None
