import errno
import fcntl
import json
import os
import platform
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import pytest
from stores import BUCKET, object_store
from upath import UPath

from search.errors import LockLostError, UserError
from search.storage import lock
from search.storage.lock import LOCK_FILE, is_locked, lock_study
from search.storage.lock_owner import this_process

HOLDER = """
import sys, time
from upath import UPath
from search.storage.lock import lock_study
study = UPath(sys.argv[1])
lock = lock_study(study, study)
print("locked", flush=True)
time.sleep(1000)
"""


@pytest.fixture(scope="module")
def store():
    with object_store():
        yield UPath(f"s3://{BUCKET}/locks")


@pytest.fixture
def quick(monkeypatch):
    """Leases that are renewed in a moment."""
    monkeypatch.setattr(lock, "RENEWAL_SECONDS", 0.2)


class Clock:
    """A clock that runs only while somebody sleeps.

    Attributes:
        slept: seconds.
        meanwhile: what others do in that time.
    """

    def __init__(self) -> None:
        self.slept = 0.0
        self.meanwhile: Callable[[], None] = lambda: None

    def time(self) -> float:
        return 1e9 + self.slept

    monotonic = time

    def sleep(self, seconds: float) -> None:
        self.slept += seconds
        self.meanwhile()


@pytest.fixture
def clock(monkeypatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(lock, "time", clock)
    return clock


@pytest.fixture(params=["folder", "store"])
def study(request, tmp_path) -> UPath:
    if request.param == "store":
        return request.getfixturevalue("store") / tmp_path.name
    return UPath(tmp_path)


def acquire(study: UPath) -> lock.Lock:
    return lock_study(study, study)


def write_lock(study: UPath, **changes) -> None:
    """The lock of a search that has just written it."""
    owner = this_process() | {"search": "another", "renewed": lock.time.time()} | changes
    (study / LOCK_FILE).write_text(json.dumps(owner))


def take(study: UPath, held: lock.Lock) -> None:
    """Take a lease, until its owner notices."""
    while True:
        write_lock(study)
        held.check()
        time.sleep(0.01)


def test_one_process_at_a_time_has_a_study_until_it_dies(study, clock):
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(study)], stdout=subprocess.PIPE)
    try:
        assert holder.stdout.readline() == b"locked\n"
        assert is_locked(study)
        with pytest.raises(UserError, match=f"another process is searching in {study}: wait"):
            acquire(study)
    finally:
        holder.send_signal(signal.SIGKILL)
        while is_locked(study):  # also while nobody has asked yet how it ended
            time.sleep(0.01)
        before = clock.slept
        held = acquire(study)
        assert clock.slept == before  # nobody watched whether it still lived
        holder.communicate()
    assert is_locked(study)
    held.check()
    held.release()
    assert not is_locked(study)


def test_a_pid_that_was_given_out_again_holds_nothing(store, tmp_path, clock):
    study = store / tmp_path.name
    write_lock(study, pid=os.getppid(), started=1)
    assert not is_locked(study)
    acquire(study).release()
    assert clock.slept == 0


@pytest.mark.parametrize("evidence", ["namespace", "boot"])
def test_a_container_that_shares_the_hosts_name_does_not_take_the_study(
    store, tmp_path, clock, evidence
):
    """There the pid is another process's, or nobody's."""
    study = store / tmp_path.name
    elsewhere = {"pid": 2**22 + 1, evidence: "another"}
    write_lock(study, **elsewhere)
    clock.meanwhile = lambda: write_lock(study, **elsewhere)
    assert is_locked(study)
    with pytest.raises(UserError, match="another process is searching in"):
        acquire(study)
    assert 0 < clock.slept < lock.LEASE_SECONDS
    clock.meanwhile = lambda: None  # it is not renewed any more
    acquire(study).release()
    assert clock.slept > lock.LEASE_SECONDS


def test_a_lock_of_an_earlier_version_is_watched(store, tmp_path, clock):
    study = store / tmp_path.name
    earlier = {"host": platform.node(), "pid": os.getpid(), "search": "x", "renewed": clock.time()}
    (study / LOCK_FILE).write_text(json.dumps(earlier))
    assert is_locked(study)
    acquire(study).release()
    assert clock.slept >= lock.LEASE_SECONDS


def test_of_many_that_want_a_study_in_a_store_at_once_one_gets_it(store, tmp_path):
    study, barrier = store / tmp_path.name, threading.Barrier(8)
    held, refused = [], []

    def want() -> None:
        barrier.wait()
        try:
            held.append(acquire(study))
        except UserError as error:
            refused.append(str(error))

    threads = [threading.Thread(target=want) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(held), len(refused)) == (1, 7)
    held[0].check()
    held[0].release()


def test_a_search_whose_lease_was_taken_notices_and_leaves_it_alone(store, tmp_path, quick):
    study = store / tmp_path.name
    held = acquire(study)
    with pytest.raises(LockLostError, match=f"another process has taken over {study}"):
        take(study, held)
    held.release()
    assert json.loads((study / LOCK_FILE).read_text())["search"] == "another"


def test_a_search_that_was_suspended_looks_at_its_lease_before_it_goes_on(store, tmp_path):
    study = store / tmp_path.name
    held = acquire(study)
    write_lock(study)
    held.check()  # it was renewed just now
    held._renewed -= 2 * lock.LEASE_SECONDS
    with pytest.raises(LockLostError):
        held.check()
    held.release()


def test_on_a_file_system_without_locks_the_lock_is_renewed(tmp_path, quick, monkeypatch):
    def flock(*arguments) -> None:
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", flock)
    assert not is_locked(tmp_path)
    held = acquire(tmp_path)
    assert is_locked(tmp_path)
    with pytest.raises(UserError, match="another process is searching in"):
        acquire(tmp_path)
    with pytest.raises(LockLostError):
        take(tmp_path, held)
    held.release()


def test_a_folder_that_was_moved_while_it_was_locked_is_not_locked(tmp_path, monkeypatch):
    study, moved = tmp_path / "study", tmp_path / "moved"
    study.mkdir()
    flock = fcntl.flock

    def move_first(*arguments) -> None:
        study.rename(moved)
        flock(*arguments)

    monkeypatch.setattr(fcntl, "flock", move_first)
    with pytest.raises(FileNotFoundError):
        acquire(study)
    monkeypatch.undo()
    acquire(moved).release()
