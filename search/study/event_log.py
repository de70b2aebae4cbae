"""Appends to the events of a study, and reads them; their format is in :mod:`studies.event_files`.

In a folder they are one file. An object store cannot append: there the last of several files is
replaced each time, and a new one begins when it has become long. A study can be copied from one
to the other and resumed there.
"""

import os
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from search.errors import LockLostError
from search.storage.conditional_writes import ABSENT, ChangedError, read_object, replace_object
from search.storage.store import children, read_bytes, with_retries
from studies import format as files
from studies.event_files import (
    encode,
    parse_events,
    segment_name,
    segment_number,
    segments,
    whole_lines,
)
from studies.events import Event
from studies.paths import StudyPath

SEGMENT_BYTES = 65536
"""From this size on the next event begins a new file on an object store."""

DELAY = 2.0
"""Seconds for which an object store may lack an event that can wait."""


class EventLog(Protocol):
    """Appends events so that each is in the store as a whole, or not at all."""

    def append(self, event: Event, can_wait: bool = False) -> None:
        """Write an event; when this returns it will survive the process and the machine.

        Args:
            can_wait: nothing is lost if it does not, as long as no later event does either. On an
                object store, which takes tens of milliseconds, it may wait for others.

        Raises:
            OSError: it could not be written; the log is as it was before.
            LockLostError: another process has written to the log.
        """

    def flush(self) -> None:
        """Write the events that wait.

        Raises:
            OSError: they could not be written.
            LockLostError: another process has written to the log.
        """

    def close(self) -> None:
        """Let go of it."""


def open_log(study: StudyPath) -> EventLog:
    """The log of a study, to which events can be appended.

    A process that is killed, or a disk that fills up, can leave half a line at the end. That
    event never happened: it is cut off here.

    Raises:
        OSError: it cannot be opened or written.
    """
    return FileLog(study) if isinstance(study, Path) else ObjectLog(study)


class FileLog:
    """An event log in a file of this machine, or of a file server.

    The file is opened for every event: what was opened before a file server went away may be of
    no use when it is back.
    """

    def __init__(self, study: Path):
        self._study = study
        self._path = last_segment(study)
        self._clean = False  # whether the file ends with the last event
        with_retries(self._cut_off, self._path)

    def append(self, event: Event, can_wait: bool = False) -> None:
        """See :class:`EventLog`."""
        line = encode(event)
        try:
            with_retries(lambda: self._append(line), self._path)
        except OSError:
            with suppress(OSError), self._path.open("r+b") as file:
                file.truncate(self._size)
            raise
        self._size += len(line)

    def flush(self) -> None:
        """See :class:`EventLog`; none waits."""

    def close(self) -> None:
        """See :class:`EventLog`."""

    def _cut_off(self) -> None:
        with self._path.open("a+b") as file:
            file.seek(0)
            self._size = whole_lines(file.read())
            file.truncate(self._size)
            os.fsync(file.fileno())
        self._clean = True

    def _append(self, line: bytes) -> None:
        with self._path.open("r+b", buffering=0) as file:
            if self._clean and os.fstat(file.fileno()).st_size != self._size:
                raise LockLostError(self._study)
            self._clean = False  # a disk that fills up takes a part first, and then raises
            file.truncate(self._size)
            file.seek(self._size)
            unwritten = memoryview(line)
            while unwritten:
                unwritten = unwritten[file.write(unwritten) :]
            os.fsync(file.fileno())
        self._clean = True


class ObjectLog:
    """An event log in an object store.

    A search that has lost its lease must not write to it. So whoever opens the log writes half a
    line of its own at the end, which no reader takes for an event. From then on what the search
    before it writes is refused, where the store has conditional writes.
    """

    def __init__(self, study: StudyPath):
        self._study = study
        self._waiting = b""
        fence = uuid.uuid4().hex.encode()
        while not self._open(fence):  # the search before it has written an event at this moment
            pass

    def append(self, event: Event, can_wait: bool = False) -> None:
        """See :class:`EventLog`."""
        line = encode(event)
        if can_wait and time.monotonic() - self._written < DELAY:
            self._waiting += line
        else:
            self._put(self._waiting + line)

    def flush(self) -> None:
        """See :class:`EventLog`."""
        if self._waiting:
            self._put(self._waiting)

    def close(self) -> None:
        """See :class:`EventLog`."""
        with suppress(OSError, LockLostError):
            self.flush()

    def _open(self, fence: bytes) -> bool:
        self._path = last_segment(self._study)
        content, self._tag = read_object(self._path)
        self._content = content[: whole_lines(content)]
        self._begin_segment_if_due()
        try:
            self._write(self._content + fence)
        except ChangedError:
            return False
        return True

    def _put(self, lines: bytes) -> None:
        self._begin_segment_if_due()
        try:
            self._write(self._content + lines)
        except ChangedError:
            raise LockLostError(self._study) from None
        self._content += lines
        self._waiting = b""

    def _begin_segment_if_due(self) -> None:
        if len(self._content) >= SEGMENT_BYTES:
            self._path = self._study / segment_name(segment_number(self._path) + 1)
            self._content, self._tag = b"", ABSENT

    def _write(self, content: bytes) -> None:
        self._tag = replace_object(self._path, content, self._tag)
        self._written = time.monotonic()


def study_segments(study: StudyPath) -> list[StudyPath]:
    """The files of events of a study, in order.

    Raises:
        OSError: the store cannot be read.
    """
    return segments(children(study))


def last_segment(study: StudyPath) -> StudyPath:
    """The file of events to which the next is appended; there may be none yet.

    Raises:
        OSError: the store cannot be read.
    """
    return (study_segments(study) or [study / files.EVENTS_FILE])[-1]


def read_events(study: StudyPath) -> Iterator[Event]:
    """The events of a study, in order.

    Raises:
        OSError: they cannot be read.
        ValueError: a line is damaged, or of an unknown kind; the message says which.
    """
    for path in study_segments(study):
        yield from parse_events(read_bytes(path), path)
