"""What goes wrong while a search runs, and whether it helps to try again."""

import errno
from dataclasses import dataclass
from types import TracebackType

import torch
from ray.exceptions import RayActorError, RayTaskError
from ray.tune.experiment import Trial

from copytask.error_lines import error_line, message_line
from search.cluster.ray_compat import error_of, host_died
from search.errors import SearchFailedError, UnsharedStorageError
from search.storage.store import TRANSIENT
from search.study.records import TrialRecord

NOT_WRITABLE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}
"""Full, over quota, read-only: no trial could write its checkpoint."""

MAX_LOST_HOSTS = 3
"""Hosts that a trial may lose in a row without a new iteration in between. A trial that loses more
is taken for the cause: it would take down one host after another."""

OUT_OF_MEMORY = (MemoryError, torch.OutOfMemoryError)


@dataclass(frozen=True)
class Failure:
    """Why a trial's worker ended with an error.

    Attributes:
        reason: one line.
        retry: whether another worker may get further. An error of the trial's own code would be
            raised again; a worker that was killed, or out of memory, may have been unlucky.
        blameless: whether the host was lost, which is no fault of the trial.
        storage: the error, if nothing can be written.
        host: Ray's id of the host, if nothing can be written on this host only.
    """

    reason: str
    retry: bool = False
    blameless: bool = False
    storage: OSError | SearchFailedError | None = None
    host: str = ""


def diagnose(trial: Trial) -> Failure:
    """Why a trial of Tune failed."""
    error = error_of(trial)
    if isinstance(error, str):
        return Failure(f"worker lost: {error}", retry=True)
    cause = getattr(error, "cause", None) or error  # of Ray's wrapper around a worker's exception
    reason = error_line(cause)
    if isinstance(cause, OSError) and cause.errno in NOT_WRITABLE:
        return Failure(reason, storage=cause)
    if isinstance(cause, UnsharedStorageError):
        return Failure(str(cause), storage=cause, host=cause.host)
    if isinstance(cause, OUT_OF_MEMORY):
        return Failure(reason, retry=True)
    if (
        isinstance(cause, OSError) and cause.errno in TRANSIENT
    ):  # no answer of the store for minutes
        return Failure(reason, retry=True)
    if isinstance(error, RayActorError) or not isinstance(error, RayTaskError):
        if host_died(error):
            return Failure("its host is lost", retry=True, blameless=True)
        return Failure(f"worker lost: {message_line(cause)}", retry=True)
    return Failure(reason)


def may_retry(failure: Failure, trial: TrialRecord, max_failures: int) -> bool:
    """Whether a trial gets another worker after this failure."""
    if failure.blameless:
        return trial.lost_hosts < MAX_LOST_HOSTS
    return failure.retry and trial.failures < max_failures


class Guard:
    """Keeps the error that must end a study, where raising it would do harm.

    Ray Tune turns an exception of a callback into text and keeps its actors, and an error of one
    study must not end the others. So this keeps the first error, whatever it is, and the study
    stops in an orderly way::

        with guard:
            study.write()
        if guard.error: ...
    """

    def __init__(self) -> None:
        self.error: Exception | SystemExit | None = None

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        if not isinstance(error, Exception | SystemExit):
            return False
        self.error = self.error or error
        return True
