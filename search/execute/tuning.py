"""Runs the trials of a study with Ray Tune and keeps the study up to date while it does."""

import dataclasses
import tempfile
import time
from collections.abc import Callable
from typing import Any

import ray
from ray import tune
from ray.tune import Callback, Stopper
from ray.tune.experiment import Trial
from ray.tune.stopper import NoopStopper

from search.cluster.ray_cluster import Cluster
from search.cluster.ray_compat import start_workers_together, worker_of
from search.console.display import Display
from search.decide.agenda import Agenda
from search.decide.schedulers import StudyScheduler
from search.errors import ClusterLostError
from search.execute.faults import MAX_LOST_HOSTS, Failure, Guard, diagnose, may_go_on
from search.execute.interrupts import Interrupts
from search.execute.trainable import ERROR, METRICS, PARAMETERS, PLACE, STATUS, CopyTrainable
from search.execute.trial_source import TrialSource
from search.study.history import TrialRecord
from search.study.study import Study
from studies import format as files

WRITE_INTERVAL = 2.0
"""Seconds between two rewrites of the CSV files while trials run; more if they take long."""

WRITE_SHARE = 0.02
"""Largest share of the time that goes into rewriting the CSV files."""

CLUSTER_CHECK_INTERVAL = 5.0
"""Seconds between two looks at whether Ray still has a node."""


class Recorder(Callback):
    """Writes down what the trials report, shows it, and deals with those that fail or hang.

    Attributes:
        cluster_lost: Ray has no node any more.
    """

    def __init__(
        self,
        study: Study,
        agenda: Agenda,
        cluster: Cluster,
        source: TrialSource,
        guard: Guard,
        display: Display,
    ):
        self.cluster_lost = False
        self._study = study
        self._agenda = agenda
        self._cluster = cluster
        self._source = source
        self._guard = guard
        self._display = display
        self._heard: dict[Trial, float] = {}  # running trial -> when it was last heard of
        self._hung: set[Trial] = set()
        self._next_write = time.monotonic() + WRITE_INTERVAL
        self._next_check = time.monotonic() + CLUSTER_CHECK_INTERVAL

    def on_trial_start(
        self, iteration: int, trials: list[Trial], trial: Trial, **info: Any
    ) -> None:
        self._heard[trial] = time.monotonic()
        if not self._study.history.trials[trial.trial_id].ended:
            self._display.trial_started(trial.trial_id)

    def on_trial_result(
        self, iteration: int, trials: list[Trial], trial: Trial, result: dict[str, Any], **info: Any
    ) -> None:
        record = self._study.history.trials[trial.trial_id]
        self._heard[trial] = time.monotonic()
        if self._guard.error:  # its checkpoint has it, and it will be reported when there is room
            return
        if record.ended:
            self._cut_off(trial, record)
            return
        with self._guard:
            if result[STATUS] == files.FAILED:
                self._study.fail_trial(record.id, result[ERROR])
            elif result[METRICS].iteration > len(record.curve):  # else it is known already
                status = result[STATUS] or (files.STOPPED_EARLY if result["done"] else "")
                metrics = dataclasses.asdict(result[METRICS])
                self._study.add_result(
                    record.id, metrics, result[PARAMETERS], status, result[PLACE]
                )
            self._agenda.reported(record)
        if record.ended:
            self._stopped(trial, record)

    def on_trial_error(
        self, iteration: int, trials: list[Trial], trial: Trial, **info: Any
    ) -> None:
        record = self._study.history.trials[trial.trial_id]
        if record.ended:
            self._cut_off(trial, record)
            return
        failure = diagnose(trial)
        if failure.host and self._can_do_without(failure):
            self._stopped(trial, record, failure.reason)
            return
        if failure.storage or self._guard.error:
            self._guard.error = self._guard.error or failure.storage
            return
        limits = self._study.config.search
        reason = failure.reason
        if trial in self._hung:
            reason = f"no result for {limits.stall_minutes:g} min: its worker was ended"
        with self._guard:
            if may_go_on(failure, record, limits.max_failures):
                self._study.retry_trial(record.id, reason, blameless=failure.blameless)
            else:
                if failure.blameless:
                    reason += f", {MAX_LOST_HOSTS + 1} times without a new iteration"
                self._study.fail_trial(record.id, reason)
                self._agenda.reported(record)
        self._stopped(trial, record, reason)

    def on_trial_recover(
        self, iteration: int, trials: list[Trial], trial: Trial, **info: Any
    ) -> None:
        self._heard.pop(trial, None)  # its machine was taken away; Tune starts it again by itself

    def on_step_end(self, iteration: int, trials: list[Trial], **info: Any) -> None:
        now = time.monotonic()
        if now >= self._next_write:
            self._write()
            took = time.monotonic() - now
            self._next_write = now + max(WRITE_INTERVAL, took / WRITE_SHARE)
        if now >= self._next_check:
            self._next_check = now + CLUSTER_CHECK_INTERVAL
            for change in self._cluster.update_hosts():
                self._display.note(change)
            self._display.view.slots = self._cluster.slots.total
            self.cluster_lost = self._cluster.is_lost()
            self._end_hung_workers(now)
        if not self._guard.error:
            with self._guard:
                self._agenda.advance()
        self._display.update(*self._agenda.progress())

    def on_experiment_end(self, trials: list[Trial], **info: Any) -> None:
        self._write()

    def _can_do_without(self, failure: Failure) -> bool:
        """Exclude the host of a failure, if other hosts have a slot for its trials."""
        known = failure.host in self._cluster.excluded_hosts
        others = self._cluster.exclude_host(failure.host)
        if others and not known:
            places = self._cluster.slots.total
            self._display.note(f"host excluded: {failure.reason}; trials at a time: {places}")
        return others

    def _write(self) -> None:
        if not isinstance(self._guard.error, OSError):  # a search that has failed leaves its rows
            with self._guard:
                self._study.write()

    def _stopped(self, trial: Trial, record: TrialRecord, reason: str = "") -> None:
        """A trial does not run any more; it may go on with another worker."""
        self._heard.pop(trial, None)
        self._source.release(record.id)
        if record.ended:
            self._display.trial_ended(record.id)
            with self._guard:
                self._agenda.released(record)
        else:
            self._display.trial_retried(record.id, reason)

    def _cut_off(self, trial: Trial, record: TrialRecord) -> None:
        """A trial that was cut off with the search at its T has come to its next result."""
        self._heard.pop(trial, None)
        self._source.release(record.id)
        with self._guard:
            self._agenda.released(record)

    def _end_hung_workers(self, now: float) -> None:
        patience = 60 * self._study.config.search.stall_minutes
        for trial, heard in self._heard.items():
            if now - heard > patience and trial not in self._hung:
                self._hung.add(trial)
                ray.kill(worker_of(trial))  # Tune then reports the trial's failure


class SearchStopper(Stopper):
    """Ends the run when nothing is left to do, or when it cannot go on.

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
    study: Study, agenda: Agenda, cluster: Cluster, display: Display, interrupts: Interrupts
) -> None:
    """Run trials until nothing is left to do; go on with those that were begun before.

    All in one run of Tune: its workers, which take seconds to start, serve the whole study.

    Raises:
        KeyboardInterrupt: the user ended the search, by Ctrl-C or a signal.
        OSError: the study cannot be written any more.
        SearchFailedError: it came to nothing, or Ray has no node any more (ClusterLostError).
    """
    guard = Guard()
    source = TrialSource(study, agenda, cluster, guard)
    recorder = Recorder(study, agenda, cluster, source, guard, display)

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
        raise ClusterLostError("Ray has lost its last node; go on with --resume")
    if not agenda.over:
        raise KeyboardInterrupt  # a SIGUSR1 from outside, for which Tune has a handler of its own
