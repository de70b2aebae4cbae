"""Locks a study, so that two searches cannot write to it."""

import errno
import fcntl
import json
import os
import threading
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from search.errors import LockLostError, UserError
from search.storage import store as storage
from search.storage.conditional_writes import ChangedError, Tag, read_object, replace_object
from search.storage.lock_owner import Owner, is_alive, this_process
from studies.paths import StudyPath, read_bytes

LOCK_FILE = ".lock"

INSPECTION_SECONDS = 0.5
"""Seconds for which :func:`is_locked` of another process may hold the lock while it looks."""

RENEWAL_SECONDS = 10.0
"""Seconds between two renewals of a lease."""

LEASE_SECONDS = 3 * RENEWAL_SECONDS
"""Seconds without a renewal after which a lease expires: its search counts as dead."""

LOCKS_UNSUPPORTED = {errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK}
"""Errors of a file system that has no locks."""


class Lock(Protocol):
    """Keeps other searches out of a study until it is released."""

    def check(self) -> None:
        """Check that we still hold the lock.

        Raises:
            LockLostError: another search has taken it.
            OSError: the lock cannot be read.
        """

    def release(self) -> None:
        """Release the lock, so that other searches can take it."""


def lock_study(folder: StudyPath, study: StudyPath) -> Lock:
    """Lock a study, so that other searches cannot write to it.

    In a folder the kernel holds the lock and releases it when the process dies. A file server does
    the same across its machines, unless it is mounted without locks. In an object store, and on a
    file system without locks, the lock is a :class:`Lease`.

    Args:
        folder: where the lock file is.
        study: the study, for messages.

    Raises:
        UserError: another search holds the lock.
        FileNotFoundError: the folder is gone, or was moved meanwhile.
        OSError: the lock cannot be written.
    """
    busy = UserError(f"another process is searching in {study}: wait for it, or end it first")
    if isinstance(folder, Path):
        try:
            return FolderLock(folder / LOCK_FILE, busy)
        except OSError as error:
            if error.errno not in LOCKS_UNSUPPORTED:
                raise
    return Lease(folder / LOCK_FILE, study, busy)


class FolderLock:
    """The kernel's lock on an open file. It ends with the process, even if that is killed."""

    def __init__(self, path: Path, busy: UserError):
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            self._acquire(busy)
            if not os.path.samestat(os.fstat(self._handle), path.stat()):
                raise FileNotFoundError(errno.ENOENT, "moved meanwhile", str(path))
        except BaseException:
            os.close(self._handle)
            raise

    def check(self) -> None:
        """See :class:`Lock`. Nobody can take a lock that the kernel holds."""

    def release(self) -> None:
        """See :class:`Lock`."""
        os.close(self._handle)

    def _acquire(self, busy: UserError) -> None:
        deadline = time.monotonic() + INSPECTION_SECONDS
        while True:
            try:
                return fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise busy from None
            time.sleep(INSPECTION_SECONDS / 10)


class Lease:
    """A lock in a store without locks: an object that a thread renews while we hold it.

    If the owner's process runs on this system, we can see at once whether it is alive. If not, we
    watch the object for half a minute.

    A search loses its lease when it is cut off from the store for longer than that. It notices at
    its next renewal at the latest. Until then a store with conditional writes (see
    :mod:`search.storage.conditional_writes`) refuses its writes to the lease and to the events. In
    a store without conditional writes, two searches that start within the same tenth of a second
    both get the lease, and one loses it at its first renewal.
    """

    def __init__(self, path: StudyPath, study: StudyPath, busy: UserError):
        self._path = path
        self._study = study
        self._owner = this_process() | {"search": uuid.uuid4().hex}
        self._lost = False
        self._writing = threading.Lock()
        self._released = threading.Event()
        try:
            self._write(self._free(busy))
        except ChangedError:
            raise busy from None
        self._keeper = threading.Thread(target=self._keep, daemon=True)
        self._keeper.start()

    def check(self) -> None:
        """See :class:`Lock`."""
        if not self._lost and time.time() - self._renewed > LEASE_SECONDS:
            self._renew()
        if self._lost:
            raise LockLostError(self._study)

    def release(self) -> None:
        """See :class:`Lock`."""
        self._released.set()
        self._keeper.join(RENEWAL_SECONDS)  # else it could write the lock again after the removal
        with suppress(Exception):
            if self._is_ours(read_bytes(self._path)):
                self._path.unlink()

    def _free(self, busy: UserError) -> Tag:
        """The tag of the lock, once nobody holds it.

        Raises:
            UserError: another search holds it.
        """
        content, tag = read_object(self._path)
        owner = parse_owner(content)
        alive = owner is not None and is_alive(owner)
        if alive is None:  # the owner is on another system: watch whether it renews the lock
            watched_until = time.monotonic() + LEASE_SECONDS
            while time.monotonic() < watched_until:
                time.sleep(RENEWAL_SECONDS / 10)
                now, tag = read_object(self._path)
                if now != content:
                    alive = parse_owner(now) is not None
                    break
        if alive:
            raise busy
        return tag

    def _keep(self) -> None:
        while not self._lost and not self._released.wait(RENEWAL_SECONDS):
            with suppress(OSError):  # whoever needs the store reports that it does not answer
                self._renew()

    def _renew(self) -> None:
        with self._writing:
            content, tag = read_object(self._path)
            try:
                if not self._is_ours(content):
                    raise ChangedError(self._path)
                self._write(tag)
            except ChangedError:
                self._lost = True

    def _is_ours(self, content: bytes) -> bool:
        owner = parse_owner(content)
        return owner is not None and owner.get("search") == self._owner["search"]

    def _write(self, seen: Tag) -> None:
        now = time.time()
        content = json.dumps({**self._owner, "renewed": now}).encode()
        replace_object(self._path, content, seen)
        self._renewed = now


def parse_owner(content: bytes) -> Owner | None:
    """The owner that a lease names; None if nobody holds it."""
    try:
        owner = json.loads(content)
    except ValueError:
        return None
    return owner if isinstance(owner, dict) and "pid" in owner else None


def is_locked(study: StudyPath) -> bool:
    """Whether a process is searching in the study at this path.

    If the owner of a lease runs on another machine, the time of its last renewal is compared with
    the clock of this one.

    Raises:
        OSError: the lock cannot be read.
    """
    path = study / LOCK_FILE
    try:
        if isinstance(path, Path) and (locked := _kernel_locked(path)) is not None:
            return locked
        owner = parse_owner(storage.read_bytes(path))
    except FileNotFoundError:
        return False
    if owner is None:
        return False
    alive = is_alive(owner)
    return time.time() - owner["renewed"] < LEASE_SECONDS if alive is None else alive


def _kernel_locked(path: Path) -> bool | None:
    """Whether the kernel holds a lock on the file; None if the file system has no locks."""
    with path.open("rb") as file:  # read-only: the study may belong to another user
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError as error:
            if error.errno in LOCKS_UNSUPPORTED:
                return None
            raise
    return False
