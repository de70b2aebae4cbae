import errno
import pickle
from types import SimpleNamespace

import pytest
import torch
from ray.exceptions import ActorDiedError, RayTaskError

from search.faults import Guard, diagnose


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
        (from_worker(MemoryError("no room")), "MemoryError: no room", True),
        (from_worker(torch.OutOfMemoryError("CUDA")), "OutOfMemoryError: CUDA", True),
        (ActorDiedError(), "worker lost: The actor died unexpectedly", True),
    ],
)  # fmt: skip
def test_bad_luck_is_told_from_mistakes(tmp_path, error, reason, retry):
    failure = diagnose(failed_trial(tmp_path, error))
    assert failure.reason.startswith(reason)
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


def test_a_guard_keeps_the_first_storage_error_and_lets_others_through():
    guard = Guard()
    for number in (errno.ENOSPC, errno.EIO):
        with guard:
            raise OSError(number, "why")
    assert guard.error.errno == errno.ENOSPC
    with pytest.raises(ValueError, match="other"), guard:
        raise ValueError("other")
