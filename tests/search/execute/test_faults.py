import errno
import pickle
from types import SimpleNamespace

import pytest
import torch
from made_studies import make_config, report, start
from ray.exceptions import ActorDiedError, RayTaskError

from search.errors import ReadError
from search.execute.faults import MAX_LOST_HOSTS, Failure, Guard, diagnose, may_retry
from search.study.study import Study


def failed_trial(folder, error: Exception) -> SimpleNamespace:
    (folder / "error.pkl").write_bytes(pickle.dumps(error))
    return SimpleNamespace(pickled_error_file=str(folder / "error.pkl"))


def from_worker(cause: Exception) -> RayTaskError:
    return RayTaskError("train", "a traceback", cause)


@pytest.mark.parametrize(
    ("error", "reason", "retry"),
    [
        (from_worker(ValueError("a mistake\nmore")), "ValueError: a mistake", False),
        (from_worker(FileNotFoundError(2, "no such")), "FileNotFoundError: [Errno 2] no such",
         False),
        (from_worker(AssertionError()), "AssertionError", False),
        (from_worker(MemoryError("no room")), "MemoryError: no room", True),
        (from_worker(OSError(errno.ESTALE, "stale")), "OSError: [Errno 116] stale", True),
        (from_worker(ReadError(errno.EIO, "no answer")), "ReadError: [Errno 5] no answer", True),
        (from_worker(torch.OutOfMemoryError("CUDA")), "OutOfMemoryError: CUDA", True),
        (ActorDiedError(), "worker lost: The actor died unexpectedly", True),
    ],
)  # fmt: skip
def test_bad_luck_is_told_from_mistakes(tmp_path, error, reason, retry):
    failure = diagnose(failed_trial(tmp_path, error))
    assert failure.reason.startswith(reason)
    assert failure.reason.isprintable()
    assert not failure.reason.endswith(": ")
    assert (failure.retry, failure.storage) == (retry, None)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS])
def test_storage_that_cannot_be_written_is_no_fault_of_the_trial(tmp_path, number):
    failure = diagnose(failed_trial(tmp_path, from_worker(OSError(number, "why"))))
    assert failure.storage.errno == number


def test_an_error_that_tune_kept_as_text(tmp_path):
    (tmp_path / "error.txt").write_text("Failure # 1 (occurred at ...)\nkilled: low memory\nmore")
    trial = SimpleNamespace(pickled_error_file=None, error_file=str(tmp_path / "error.txt"))
    failure = diagnose(trial)
    assert (failure.reason, failure.retry) == ("worker lost: killed: low memory", True)


LOST_WORKER = Failure("worker lost", retry=True)
LOST_HOST = Failure("its host is lost", retry=True, blameless=True)


@pytest.mark.parametrize(("failure", "times"), [(LOST_WORKER, 2), (LOST_HOST, MAX_LOST_HOSTS)])
def test_without_progress_a_trial_gets_another_worker_so_often_and_no_more(
    tmp_path, failure, times
):
    study = Study.create(tmp_path / "study", make_config())
    start(study, "a")
    trial = study.history.trials["a"]
    for _ in range(2):
        for _ in range(times):
            assert may_retry(failure, trial, max_failures=2)
            study.retry_trial("a", failure.reason, blameless=failure.blameless)
        assert not may_retry(failure, trial, max_failures=2)
        report(study, "a", len(trial.curve) + 1, 0.5)


def test_lost_hosts_are_counted_apart_and_a_mistake_is_not_tried_again(tmp_path):
    study = Study.create(tmp_path / "study", make_config())
    start(study, "a")
    study.retry_trial("a", "its host is lost", blameless=True)
    assert may_retry(LOST_WORKER, study.history.trials["a"], max_failures=1)
    assert not may_retry(Failure("a mistake"), study.history.trials["a"], max_failures=9)


def test_a_guard_keeps_the_first_error_and_lets_an_interrupt_through():
    guard = Guard()
    for error in (OSError(errno.ENOSPC, "why"), ValueError("other")):
        with guard:
            raise error
    assert guard.error.errno == errno.ENOSPC
    with pytest.raises(KeyboardInterrupt), guard:
        raise KeyboardInterrupt
