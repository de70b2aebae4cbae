"""Keeps studies up to date with what their trials do on Ray Tune."""

import logging
import time
from collections.abc import Sequence
from typing import Any

import ray
from ray.tune import Callback
from ray.tune.experiment import Trial

from search.cluster.ray_cluster import Cluster
from search.cluster.ray_compat import worker_of
from search.execute.faults import MAX_LOST_HOSTS, Failure, diagnose, may_retry
from search.execute.study_run import StudyRun
from search.execute.trainable import ERROR, METRICS, PLACE, SIZE, STATUS
from search.execute.trial_source import TrialSource
from search.study.records import TrialRecord
from studies import format as files
from studies.events import Point

CLUSTER_CHECK_INTERVAL = 5.0
"""Seconds between two looks at whether Ray still has a node."""

log = logging.getLogger(__name__)


class Recorder(Callback):
    """Records what trials report, tells the listeners, and handles trials that fail or hang.

    Attributes:
        cluster_lost: Ray has no node any more.
    """

    def __init__(self, runs: Sequence[StudyRun], cluster: Cluster, source: TrialSource):
        self.cluster_lost = False
        self._runs = runs
        self._cluster = cluster
        self._source = source
        self._heard: dict[Trial, float] = {}  # running trial -> time of its last sign of life
        self._hung: set[Trial] = set()
        self._next_check = time.monotonic() + CLUSTER_CHECK_INTERVAL

    def on_trial_start(
        self, iteration: int, trials: list[Trial], trial: Trial, **info: Any
    ) -> None:
        self._heard[trial] = time.monotonic()
        run, record = self._source.find(trial)
        if not record.ended:
            with run.guard:
                run.listener.trial_started(record)

    def on_trial_result(
        self, iteration: int, trials: list[Trial], trial: Trial, result: dict[str, Any], **info: Any
    ) -> None:
        run, record = self._source.find(trial)
        self._heard[trial] = time.monotonic()
        if run.guard.error:  # its checkpoint has the result, and a later run reports it
            self._free(trial, run, record)
            return
        if record.ended:
            self._stopped(trial, run, record)  # it was cut off with the search at its T
            return
        failed = result[STATUS] == files.FAILED
        ending = result[STATUS] or (files.STOPPED_EARLY if result["done"] else "")
        # Others are known already.
        new = [metrics for metrics in result[METRICS] if metrics.iteration > len(record.curve)]
        with run.guard:
            for metrics in new:
                status = "" if failed or metrics is not new[-1] else ending
                point = Point(**vars(metrics))
                run.study.add_result(
                    record.id, point, status=status, **result[SIZE], **result[PLACE]
                )
                run.listener.trial_reported(record)
            if failed:
                run.study.fail_trial(record.id, result[ERROR])
            run.agenda.reported(record)
        if record.ended:
            self._stopped(trial, run, record)
        elif run.guard.error:
            self._free(trial, run, record)

    def on_trial_error(
        self, iteration: int, trials: list[Trial], trial: Trial, **info: Any
    ) -> None:
        run, record = self._source.find(trial)
        if record.ended:
            self._stopped(trial, run, record)
            return
        failure = diagnose(trial)
        if failure.host and self._can_do_without(failure):
            self._stopped(trial, run, record, failure.reason)
            return
        if failure.storage or run.guard.error:
            run.guard.error = run.guard.error or failure.storage
            self._free(trial, run, record)
            return
        if failure.blameless:
            self._next_check = 0.0  # a host is gone: say so now, a short search may soon be over
        config = run.study.config
        reason = failure.reason
        if trial in self._hung:
            reason = f"no result for {config.stall_minutes(record.T):g} min; its worker was stopped"
        with run.guard:
            if may_retry(failure, record, config.search.max_failures):
                run.study.retry_trial(record.id, reason, blameless=failure.blameless)
            else:
                if failure.blameless:
                    reason += f", {MAX_LOST_HOSTS + 1} times without a new iteration"
                run.study.fail_trial(record.id, reason)
                run.agenda.reported(record)
        self._stopped(trial, run, record, reason)

    def on_trial_recover(
        self, iteration: int, trials: list[Trial], trial: Trial, **info: Any
    ) -> None:
        self._heard.pop(trial, None)  # its host was lost; Tune restarts it by itself

    def on_step_end(self, iteration: int, trials: list[Trial], **info: Any) -> None:
        now = time.monotonic()
        if now >= self._next_check:
            self._next_check = now + CLUSTER_CHECK_INTERVAL
            for change in self._cluster.update_hosts():
                log.warning(change)  # it concerns all studies
            for run in self._runs:
                run.listener.slots_changed(self._cluster.slots.total)
            self.cluster_lost = self._cluster.is_lost()
            self._end_hung_workers(now)
        for run in self._runs:
            run.advance()
            if not run.guard.error:
                with run.guard:
                    run.listener.progressed(run.agenda.progress())

    def on_experiment_end(self, trials: list[Trial], **info: Any) -> None:
        for run in self._runs:
            if not isinstance(
                run.guard.error, OSError
            ):  # a search that has failed still writes its rows
                with run.guard:
                    run.listener.run_ended()

    def _can_do_without(self, failure: Failure) -> bool:
        """Exclude the host of a failure, if other hosts have a slot for its trials."""
        known = failure.host in self._cluster.excluded_hosts
        others = self._cluster.exclude_host(failure.host)
        if others and not known:
            slots = self._cluster.slots.total
            log.warning(f"host excluded: {failure.reason}; trials at a time: {slots}")
        return others

    def _free(self, trial: Trial, run: StudyRun, record: TrialRecord) -> None:
        """A trial does not run any more: another one can have its slot."""
        self._heard.pop(trial, None)
        self._source.release(run, record.id)

    def _stopped(self, trial: Trial, run: StudyRun, record: TrialRecord, reason: str = "") -> None:
        """A trial does not run any more. If it has not ended, it resumes with another worker."""
        self._free(trial, run, record)
        with run.guard:
            if record.ended:
                run.agenda.released(record)
            else:
                run.listener.trial_retried(record, reason)

    def _end_hung_workers(self, now: float) -> None:
        for trial, heard in self._heard.items():
            run, record = self._source.find(trial)
            patience = 60 * run.study.config.stall_minutes(record.T) + trial.config["group_seconds"]
            if now - heard > patience and trial not in self._hung:
                self._hung.add(trial)
                ray.kill(worker_of(trial))  # Tune then reports the trial's failure
