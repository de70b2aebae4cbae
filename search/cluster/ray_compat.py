"""Everything that relies on Ray beyond its documented interface.

A new minor version of Ray may change it, so pyproject.toml admits only versions that the tests have
run on. Ray reads some of these switches when it is imported, so nothing here imports it.
"""

import os
import pickle
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from copytask.error_lines import error_line

if TYPE_CHECKING:
    from ray.actor import ActorHandle
    from ray.tune.experiment import Trial

SWITCHES = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # the study's own files hold the results
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # see search.execute.interrupts
    "TUNE_GLOBAL_CHECKPOINT_S": "inf",  # a search resumes from its own events
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",  # a trial that diverged has no metrics
}
"""Environment variables of Ray and Tune, and the values that a search sets."""

NO_SPARE_WORKERS = "RAY_prestart_worker_first_driver"
"""Environment variable. With "0" a cluster that we start has no workers before it needs them. By
default Ray starts one for each CPU at once, about a CPU second each. No trial uses them, as a
search's workers have environment variables of their own."""

LOOPBACK_ONLY = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
"""Environment variable. With "0" a cluster that we start listens on loopback only, which is Ray's
default on Windows and macOS; without it, on every interface."""

RAYLET_PID = "RAY_RAYLET_PID"
"""Environment variable: a process id. When Ray has lost its raylet and this process is gone too, it
ends ours from C++ with exit code 1. The default is our parent: a search whose parent has exited, or
is process 1 as in a container, would end. Ray overwrites the variable for its workers."""

HEAD_TIMEOUT = "RAY_gcs_rpc_server_reconnect_timeout_s"
"""Environment variable: seconds, by default 60, without an answer of the head after which Ray ends
the process without a message."""

MAX_PENDING = "TUNE_MAX_PENDING_TRIALS_PG"
"""Environment variable: how many workers Tune starts at a time. The default is one, and each takes
seconds."""

DASHBOARD = "ray.dashboard.optional_deps"
"""The module that Ray imports to see whether the packages of its dashboard are installed."""

FAILURE_HEADER = "Failure # "
"""How Tune begins the line above each failure in a trial's file of errors."""

NODE_ID_LABEL = "ray.io/node-id"
"""The label that holds the id of a Ray node."""


def set_switches(starts_cluster: bool) -> None:
    """Set the environment variables that a search needs. Call it before Ray is imported.

    Args:
        starts_cluster: whether the search starts a cluster on this machine.
    """
    os.environ.update(SWITCHES)
    os.environ[RAYLET_PID] = str(os.getpid())
    if starts_cluster:
        os.environ[LOOPBACK_ONLY] = "0"
        os.environ[NO_SPARE_WORKERS] = "0"


def start_workers_together(number: int) -> None:
    """Let Tune start this many workers at a time."""
    os.environ[MAX_PENDING] = str(number)


@contextmanager
def without_dashboard() -> Iterator[None]:
    """Let Ray start as if the packages of its dashboard were not installed.

    A search does not use it. With it, half of the time that Ray takes to start goes into imports.
    """
    found = sys.modules.get(DASHBOARD)
    sys.modules[DASHBOARD] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[DASHBOARD]
        if found:
            sys.modules[DASHBOARD] = found


def head_timeout() -> float:
    """Seconds without an answer of the head after which Ray ends the process."""
    return float(os.environ.get(HEAD_TIMEOUT, 60))


def worker_of(trial: "Trial") -> "ActorHandle":
    """The actor in which a trial runs."""
    return trial.temporary_state.ray_actor


def set_last_result(trial: "Trial", result: dict[str, Any]) -> None:
    """Set a trial's last result without the statistics that Tune keeps for every number in it."""
    trial.run_metadata.last_result = result
    trial.run_metadata.last_result_time = time.time()


def forget_ended(controller: Any) -> None:
    """Let Tune forget the trials that have ended, whenever they are an eighth of those that run.

    It would keep them all until its end, 10 kB each, and then write down the state of each.

    Args:
        controller: what Tune hands to a scheduler.
    """
    tune = controller._tune_controller
    if 8 * (len(tune._stopped_trials) + len(tune._failed_trials)) <= len(tune._running_trials):
        return
    ended = tune._stopped_trials | tune._failed_trials
    tune._trials[:] = [trial for trial in tune._trials if trial not in ended]
    for kept in (
        tune._stopped_trials, tune._failed_trials, tune._live_trials, tune._trials_to_cache
    ):  # fmt: skip
        kept.intersection_update(tune._trials)


class ReadyEvents:
    """Finds all that has happened in one look, and then hands it to Tune one by one.

    For each event, Tune's manager of actors shuffles the futures of all running trials and waits
    for one of them. With many trials that takes longer than what Tune then does. While workers
    start or end, the manager looks by itself, as they come first.

    Args:
        manager: the manager of actors, whose ``next`` this replaces.
    """

    def __init__(self, manager: Any):
        self._manager = manager
        self._next = manager.next
        self._ready: deque[Any] = deque()

    @classmethod
    def use(cls, controller: Any) -> None:
        """Let a controller find events in this way; may be called again.

        Args:
            controller: what Tune hands to a scheduler.
        """
        manager = controller._tune_controller._actor_manager
        if "next" not in vars(manager):
            manager.next = cls(manager).next

    def next(self, timeout: float | None = None) -> bool:
        """Wait up to so many seconds for an event, and handle it; whether there was one."""
        manager = self._manager
        if (
            manager._live_actors_to_kill
            or manager._pending_actors_to_attrs
            or manager._actor_state_events.num_futures
        ):
            return bool(self._next(timeout))
        tasks = manager._actor_task_events
        while not (self._ready and self._ready[0] in tasks._tracked_futures):
            if self._ready:
                self._ready.popleft()  # its trial was stopped meanwhile
            elif not self._look(list(tasks._tracked_futures), timeout):
                return False
        tasks.resolve_future(self._ready.popleft())
        return True

    def _look(self, futures: list[Any], timeout: float | None) -> bool:
        """Find all that has happened, or else wait for the next event; whether there is one."""
        import ray  # see the beginning of this file

        if futures:
            ready, _ = ray.wait(futures, num_returns=len(futures), timeout=0)
            self._ready.extend(ready or ray.wait(futures, num_returns=1, timeout=timeout)[0])
        return bool(self._ready)


def error_of(trial: "Trial") -> Exception | str:
    """Why a trial failed: the exception, or one line of text if Tune has kept only that.

    We do not use Trial.get_error: it reads the storage, where Tune copies the file only later.
    """
    if trial.pickled_error_file:
        error: Exception = pickle.loads(Path(trial.pickled_error_file).read_bytes())
        return error
    _, _, last = Path(trial.error_file).read_text().rpartition(FAILURE_HEADER)
    return " ".join(last.splitlines()[1:2])


def host_died(error: Exception) -> bool:
    """Whether a trial lost its worker because the host died or was preempted."""
    return getattr(error, "preempted", False) or "node has died" in str(error)


def refuses_token(error: Exception) -> bool:
    """Whether the error says that the cluster refuses this machine's token."""
    return "InvalidAuthToken" in f"{error} {error.__context__}"


def tune_error_message(error: BaseException) -> str:
    """The message of an error in one line, with its type.

    Tune wraps an exception of a callback in a TuneError whose text is the whole traceback; then it
    is the last line of that.
    """
    text = str(error).strip()
    if type(error).__name__ == "TuneError" and text.startswith("Traceback"):
        return text.splitlines()[-1]
    return error_line(error)
