"""Keeps a study up to date with what its trials do on Ray Tune."""

import time
from typing import Any

import ray
from ray.tune import Callback
from ray.tune.experiment import Trial

from search.cluster.ray_cluster import Cluster
from search.cluster.ray_compat import worker_of
from search.decide.agenda import Agenda
from search.execute.faults import MAX_LOST_HOSTS, Failure, Guard, diagnose, may_retry
from search.execute.trainable import ERROR, METRICS, PLACE, SIZE, STATUS
from search.execute.trial_source import TrialSource
from search.study.listener import Listener
from search.study.records import TrialRecord
from search.study.study import Study
from studies import format as files
from studies.events import Point

CLUSTER_CHECK_INTERVAL = 5.0
"""Seconds between two looks at whether Ray still has a node."""


class Recorder(Callback):
    """Records what trials report, tells the listener, and handles trials that fail or hang.

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
        listener: Listener,
    ):
        self.cluster_lost = False
        self._study = study
        self._agenda = agenda
        self._cluster = cluster
        self._source = source
        self._guard = guard
        self._listener = listener
        self._heard: dict[Trial, float] = {}  # running trial -> time of its last sign of life
        self._hung: set[Trial] = set()
        self._next_check = time.monotonic() + CLUSTER_CHECK_INTERVAL

    def on_trial_start(
        self, iteration: int, trials: list[Trial], trial: Trial, **info: Any
    ) -> None:
        self._heard[trial] = time.monotonic()
        record = self._study.history.trials[trial.trial_id]
        if not record.ended:
            with self._guard:
                self._listener.trial_started(record)

    def on_trial_result(
        self, iteration: int, trials: list[Trial], trial: Trial, result: dict[str, Any], **info: Any
    ) -> None:
        record = self._study.history.trials[trial.trial_id]
        self._heard[trial] = time.monotonic()
        if self._guard.error:  # its checkpoint has the result, and a later run reports it
            return
        if record.ended:
            self._stopped(trial, record)  # it was cut off with the search at its T
            return
        with self._guard:
            if result[STATUS] == files.FAILED:
                self._study.fail_trial(record.id, result[ERROR])
            elif result[METRICS].iteration > len(record.curve):  # else it is known already
                status = result[STATUS] or (files.STOPPED_EARLY if result["done"] else "")
                point = Point(**vars(result[METRICS]))
                self._study.add_result(
                    record.id, point, status=status, **result[SIZE], **result[PLACE]
                )
                self._listener.trial_reported(record)
            self._agenda.reported(record)
        if record.ended:
            self._stopped(trial, record)

    def on_trial_error(
        self, iteration: int, trials: list[Trial], trial: Trial, **info: Any
    ) -> None:
        record = self._study.history.trials[trial.trial_id]
        if record.ended:
            self._stopped(trial, record)
            return
        failure = diagnose(trial)
        if failure.host and self._can_do_without(failure):
            self._stopped(trial, record, failure.reason)
            return
        if failure.storage or self._guard.error:
            self._guard.error = self._guard.error or failure.storage
            return
        if failure.blameless:
            self._next_check = 0.0  # a host is gone: say so now, a short search may soon be over
        config = self._study.config
        reason = failure.reason
        if trial in self._hung:
            reason = f"no result for {config.stall_minutes(record.T):g} min; its worker was stopped"
        with self._guard:
            if may_retry(failure, record, config.search.max_failures):
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
        self._heard.pop(trial, None)  # its host was lost; Tune restarts it by itself

    def on_step_end(self, iteration: int, trials: list[Trial], **info: Any) -> None:
        now = time.monotonic()
        if now >= self._next_check:
            self._next_check = now + CLUSTER_CHECK_INTERVAL
            for change in self._cluster.update_hosts():
                self._listener.note(change)
            self._listener.slots_changed(self._cluster.slots.total)
            self.cluster_lost = self._cluster.is_lost()
            self._end_hung_workers(now)
        if not self._guard.error:
            with self._guard:
                self._agenda.advance()
                self._listener.progressed(self._agenda.progress())

    def on_experiment_end(self, trials: list[Trial], **info: Any) -> None:
        if not isinstance(
            self._guard.error, OSError
        ):  # a search that has failed still writes its rows
            with self._guard:
                self._listener.run_ended()

    def _can_do_without(self, failure: Failure) -> bool:
        """Exclude the host of a failure, if other hosts have a slot for its trials."""
        known = failure.host in self._cluster.excluded_hosts
        others = self._cluster.exclude_host(failure.host)
        if others and not known:
            slots = self._cluster.slots.total
            self._listener.note(f"host excluded: {failure.reason}; trials at a time: {slots}")
        return others

    def _stopped(self, trial: Trial, record: TrialRecord, reason: str = "") -> None:
        """A trial does not run any more. If it has not ended, it resumes with another worker."""
        self._heard.pop(trial, None)
        self._source.release(record.id)
        with self._guard:
            if record.ended:
                self._agenda.released(record)
            else:
                self._listener.trial_retried(record, reason)

    def _end_hung_workers(self, now: float) -> None:
        for trial, heard in self._heard.items():
            T = self._study.history.trials[trial.trial_id].T
            patience = 60 * self._study.config.stall_minutes(T)
            if now - heard > patience and trial not in self._hung:
                self._hung.add(trial)
                ray.kill(worker_of(trial))  # Tune then reports the trial's failure
