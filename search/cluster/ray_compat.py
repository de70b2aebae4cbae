"""What this project knows of Ray beyond its documented interface.

All of it is in this module, since a new minor version of Ray may change it: pyproject.toml admits
only the versions that the tests have run on. Ray reads some of its switches when it is imported, so
nothing here imports it.
"""

import os
import pickle
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ray.actor import ActorHandle
    from ray.tune.experiment import Trial

SWITCHES = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # the study's own files hold the results
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # see search.interrupt
    "TUNE_GLOBAL_CHECKPOINT_S": "inf",  # a search resumes from its own events
    "TUNE_DISABLE_STRICT_METRIC_CHECKING": "1",  # a trial that diverged has no metrics
}
"""Environment variables."""

LOOPBACK_ONLY = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
"""Environment variable. With "0" a cluster of this machine's own
listens on loopback alone, as Ray itself has it on Windows and macOS; else on every interface."""

RAYLET_PID = "RAY_RAYLET_PID"
"""Environment variable: the process without which Ray ends this one from C++ with exit code 1,
after it has lost its raylet. By default that is the parent: a search whose parent is gone, or is
process 1 as in a container, would end. Ray overwrites it for its workers."""

HEAD_PATIENCE = "RAY_gcs_rpc_server_reconnect_timeout_s"
"""Environment variable: seconds, by default 60, for which the head may be away before Ray ends the
process without a word."""

MAX_PENDING = "TUNE_MAX_PENDING_TRIALS_PG"
"""Environment variable: how many workers Tune starts at a time. By default one after the other,
each of which takes seconds."""

NODE_ID_LABEL = "ray.io/node-id"
"""The label in which each of Ray's nodes has its id."""


def set_switches(starts_cluster: bool) -> None:
    """Set what a search wants of Ray. Call it before Ray is imported.

    Args:
        starts_cluster: whether the search starts a cluster of this machine's own.
    """
    os.environ.update(SWITCHES)
    os.environ[RAYLET_PID] = str(os.getpid())
    if starts_cluster:
        os.environ[LOOPBACK_ONLY] = "0"


def start_workers_together(number: int) -> None:
    """Let Tune start so many workers at a time."""
    os.environ[MAX_PENDING] = str(number)


def head_patience() -> float:
    """Seconds for which the head may be away before Ray ends the process."""
    return float(os.environ.get(HEAD_PATIENCE, 60))


def worker_of(trial: "Trial") -> "ActorHandle":
    """The actor in which a trial runs."""
    return trial.temporary_state.ray_actor


def set_last_result(trial: "Trial", result: dict[str, Any]) -> None:
    """Set a trial's last result, without the statistics that Tune keeps of every number in it."""
    trial.run_metadata.last_result = result
    trial.run_metadata.last_result_time = time.time()


def error_of(trial: "Trial") -> Exception | str:
    """Why a trial failed: the exception, or one line where Tune has kept no more than text.

    Trial.get_error would look into the storage, where Tune copies the file only later.
    """
    if trial.pickled_error_file:
        error: Exception = pickle.loads(Path(trial.pickled_error_file).read_bytes())
        return error
    lines = Path(trial.error_file).read_text().splitlines()  # the first one is Tune's own
    return " ".join(lines[1:2])


def host_died(error: Exception) -> bool:
    """Whether a trial's worker was lost because its host was taken away."""
    return getattr(error, "preempted", False) or "node has died" in str(error)


def refuses_token(error: Exception) -> bool:
    """Whether a cluster refuses the token of this machine."""
    return "InvalidAuthToken" in f"{error} {error.__context__}"


def tune_error_message(error: BaseException) -> str:
    """What an error says, in one line.

    Tune turns an exception of a callback into one of its own, whose text is the whole traceback.
    """
    lines = str(error).strip().splitlines() or [""]
    if type(error).__name__ == "TuneError" and lines[0].startswith("Traceback"):
        return lines[-1]
    return f"{type(error).__name__}: {lines[0]}".removesuffix(": ")
