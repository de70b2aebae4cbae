"""How a search has ended: for each study that has failed, why."""

import sys
import traceback
from typing import NamedTuple

from search.cluster.ray_compat import tune_error_message
from search.errors import SearchFailedError, StorageError
from search.execute.study_run import StudyRun
from search.study.study import Study
from studies.paths import StudyPath
from studies.wording import all_counted


class Outcome(NamedTuple):
    """How a search has ended.

    Attributes:
        interrupted: the user ended it.
        failures: why a study has failed, in one line each.
    """

    interrupted: bool
    failures: list[str]


def failure_of(run: StudyRun, finished: bool, log: StudyPath, command: str) -> str:
    """Why a study has failed, in one line; empty if it has not.

    Args:
        finished: whether it should have results by now.
        log: where standard error goes; it gets the traceback of an unexpected error.
        command: resumes the study.
    """
    error = run.guard.error
    if finished and not error:
        try:
            check_results(run.study, command)
        except SearchFailedError as failure:
            error = failure
    match error:
        case None:
            return ""
        case OSError():
            return str(StorageError(run.study.path, error))
        case SearchFailedError():
            return str(error)
    return one_line(error, log, command)


def one_line(error: BaseException, log: StudyPath, command: str) -> str:
    """An unexpected error in one line; its traceback goes to standard error, which is the log."""
    traceback.print_exception(error, file=sys.stderr)
    return (
        f"{tune_error_message(error)}. The traceback is at the end of {log}; resume with: {command}"
    )


def check_results(study: Study, command: str) -> None:
    """Check that a finished search has results.

    Args:
        command: resumes the study.

    Raises:
        SearchFailedError: there is no result at all, or every trial at a T failed.
    """
    if failed := [T for T in study.config.T if study.history.all_failed(T)]:
        last = sum(trial.failed for trial in study.history.lengths[failed[-1]].trials)
        trials = all_counted(last, "trial") if len(failed) == 1 else "all trials"
        reason = study.history.last_error(failed[-1]).rstrip(".")
        raise SearchFailedError(
            f"{trials} at T={', '.join(map(str, failed))} failed; the last error: {reason}. When "
            f"its cause is gone, run them again with: {command} --retry-failed"
        )
    if not study.history.best:
        raise SearchFailedError(
            "no trial finished an iteration within the time limit; raise --budget-minutes"
        )
