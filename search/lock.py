"""Keeps two searches out of one study."""

import fcntl
import json
import os
import platform
import threading
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

from filelock import FileLock, Timeout

from search.errors import UserError
from search.storage import read_bytes, write_bytes
from study_paths import StudyPath

LOCK_FILE = ".lock"

RENEWAL = 10.0
"""Seconds after which a search tells an object store again that it lives."""

ABANDONED = 3 * RENEWAL
"""Seconds without that after which a search is taken for dead."""


class Lock(Protocol):
    """What keeps other searches out until it is released."""

    def release(self) -> None:
        """Let other searches in."""


def lock_study(study: StudyPath) -> Lock:
    """Keep other searches out of the study at this path.

    In a folder the system keeps the lock, and lets go of it when the process dies; a file server
    does so for all of its machines. In an object store the lock is an object that the search
    renews; one that was killed on another machine is noticed by its not doing so, which takes
    half a minute.

    Raises:
        UserError: another search is in it.
        OSError: the store cannot be written.
    """
    busy = UserError(f"another process is searching in {study}: wait for it, or end it first")
    if not isinstance(study, Path):
        return Lease(study / LOCK_FILE, busy)
    lock = FileLock(study / LOCK_FILE)
    try:
        lock.acquire(timeout=0.5)  # somebody may be looking: see is_locked
    except Timeout:
        raise busy from None
    return lock


class Lease:
    """A lock in an object store, renewed by a thread while it is held.

    Two searches that start in the same tenth of a second could both get it: object stores have
    no common way to write only if nobody else did.
    """

    def __init__(self, path: StudyPath, busy: UserError):
        self._path = path
        self._owner = {
            "host": platform.node(), "pid": os.getpid(), "search": uuid.uuid4().hex
        }  # fmt: skip
        self._released = threading.Event()
        if self._is_held():
            raise busy
        self._renew()
        self._keeper = threading.Thread(target=self._keep, daemon=True)
        self._keeper.start()

    def release(self) -> None:
        """Let other searches in."""
        self._released.set()
        self._keeper.join(RENEWAL)  # else it might write the lock once more after it is gone
        with suppress(Exception):
            self._path.unlink()

    def _is_held(self) -> bool:
        """Whether its owner lives: known at once on this machine, else by watching it."""
        before = self._read()
        if before is None:
            return False
        if before["host"] == platform.node():
            return before["pid"] != os.getpid() and is_running(before["pid"])
        waited_until = time.monotonic() + ABANDONED
        while time.monotonic() < waited_until:
            time.sleep(1)
            now = self._read()
            if now != before:
                return now is not None
        return False

    def _read(self) -> dict[str, Any] | None:
        try:
            content: dict[str, Any] = json.loads(read_bytes(self._path))
        except (FileNotFoundError, ValueError):
            return None
        return content

    def _renew(self) -> None:
        write_bytes(self._path, json.dumps({**self._owner, "renewed": time.time()}).encode())

    def _keep(self) -> None:
        while not self._released.wait(RENEWAL):
            with suppress(OSError):  # a store that is away is told of by those who need it
                self._renew()


def is_locked(study: StudyPath) -> bool:
    """Whether a process searches in the study at this path.

    In an object store, when the lock was renewed is compared with the clock of this machine.

    Raises:
        OSError: the lock cannot be read.
    """
    path = study / LOCK_FILE
    try:
        if isinstance(path, Path):
            # Not FileLock, which has to be able to write: the study may be somebody else's.
            with path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return False
        lease = json.loads(read_bytes(path))
    except BlockingIOError:
        return True
    except (FileNotFoundError, ValueError):
        return False
    if lease["host"] == platform.node():
        return is_running(lease["pid"])
    return bool(time.time() - lease["renewed"] < ABANDONED)


def is_running(pid: int) -> bool:
    """Whether a process of this machine lives."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
