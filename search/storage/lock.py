"""Keeps two searches out of one study."""

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

LOOKING = 0.5
"""Seconds for which somebody may hold the lock who only looks: see is_locked."""

RENEWAL = 10.0
"""Seconds after which a search tells an object store again that it lives."""

ABANDONED = 3 * RENEWAL
"""Seconds without that after which a search is taken for dead."""

NO_LOCKS = {errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK}
"""What a file system answers that has no locks."""


class Lock(Protocol):
    """What keeps other searches out until it is released."""

    def check(self) -> None:
        """See whether it is still held.

        Raises:
            LockLostError: another search has taken it.
            OSError: it cannot be read.
        """

    def release(self) -> None:
        """Let other searches in."""


def lock_study(folder: StudyPath, study: StudyPath) -> Lock:
    """Keep other searches out of a study.

    In a folder the system's kernel keeps the lock, and lets go of it when the process dies; a file
    server does so for all of its machines, unless it is mounted without locks. In an object store,
    and on a file system that has no locks, the lock is a file that the search renews, see
    :class:`Lease`.

    Args:
        folder: where the lock is kept.
        study: what is locked, for messages.

    Raises:
        UserError: another search is in it.
        FileNotFoundError: the folder is gone, or was moved meanwhile.
        OSError: it cannot be written.
    """
    busy = UserError(f"another process is searching in {study}: wait for it, or end it first")
    if isinstance(folder, Path):
        try:
            return FolderLock(folder / LOCK_FILE, busy)
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
    return Lease(folder / LOCK_FILE, study, busy)


class FolderLock:
    """The kernel's lock on an open file. It ends with the process, however that ends."""

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
        """See :class:`Lock`; what the kernel keeps cannot be taken."""

    def release(self) -> None:
        """See :class:`Lock`."""
        os.close(self._handle)

    def _acquire(self, busy: UserError) -> None:
        deadline = time.monotonic() + LOOKING
        while True:
            try:
                return fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise busy from None
            time.sleep(LOOKING / 10)


class Lease:
    """A lock in a store without locks: an object that a thread renews while it is held.

    Whether another search holds it is known at once if that runs on this system, and by watching
    the object for half a minute if not.

    A search may lose its lease, when it was cut off from the store for longer than that. It learns
    so at its next renewal at the latest. Until then a store with conditional writes (see
    :mod:`search.storage.conditional_writes`) refuses what it writes of the lease and of the
    events. In a store without them, of two searches that begin in the same tenth of a second both
    get the lease, and one loses it at its first renewal.
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
        if not self._lost and time.time() - self._renewed > ABANDONED:
            self._renew()
        if self._lost:
            raise LockLostError(self._study)

    def release(self) -> None:
        """See :class:`Lock`."""
        self._released.set()
        self._keeper.join(RENEWAL)  # else it might write the lock once more after it is gone
        with suppress(Exception):
            if self._is_ours(read_bytes(self._path)):
                self._path.unlink()

    def _free(self, busy: UserError) -> Tag:
        """The state of the lock in which nobody holds it.

        Raises:
            UserError: another search does.
        """
        content, tag = read_object(self._path)
        owner = parse_owner(content)
        alive = owner is not None and is_alive(owner)
        if alive is None:  # it is elsewhere: does it renew the lock?
            watched_until = time.monotonic() + ABANDONED
            while time.monotonic() < watched_until:
                time.sleep(RENEWAL / 10)
                now, tag = read_object(self._path)
                if now != content:
                    alive = parse_owner(now) is not None
                    break
        if alive:
            raise busy
        return tag

    def _keep(self) -> None:
        while not self._lost and not self._released.wait(RENEWAL):
            with suppress(OSError):  # a store that is away is told of by those who need it
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
    """Who wrote a lock in a store; None if nobody holds it."""
    try:
        owner = json.loads(content)
    except ValueError:
        return None
    return owner if isinstance(owner, dict) and "pid" in owner else None


def is_locked(study: StudyPath) -> bool:
    """Whether a process searches in the study at this path.

    In an object store, when the lock was renewed is compared with the clock of this machine if its
    owner runs on another.

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
    return time.time() - owner["renewed"] < ABANDONED if alive is None else alive


def _kernel_locked(path: Path) -> bool | None:
    """Whether the kernel has a lock on the file; None if the file system has no locks."""
    with path.open("rb") as file:  # to read only: the study may be somebody else's
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError as error:
            if error.errno in NO_LOCKS:
                return None
            raise
    return False
