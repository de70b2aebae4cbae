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
from search.storage.conditional_writes import ABSENT, ChangedError, Tag, read_object, replace_object
from search.storage.store import children, read_blocks, with_retries
from search.storage.whole_lines import end_of_whole_lines
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
        """Write an event; when this returns, it survives the process and the machine.

        Args:
            can_wait: nothing is lost if the event is, as long as all later ones are lost as well.
                An object store takes tens of milliseconds, so there it may wait for others. A file
                has it at once, but the disk only with the next event that cannot wait.

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
        """Release the log."""


def open_log(study: StudyPath) -> EventLog:
    """Open the log of a study to append events.

    A process that is killed, or a disk that fills up, can leave half a line at the end. That event
    has not happened, so this cuts it off.

    Raises:
        OSError: it cannot be opened or written.
    """
    return FileLog.open(study) if isinstance(study, Path) else ObjectLog.open(study)


class FileLog:
    """An event log in a file of this machine, or of a file server; see :meth:`open`.

    It opens the file for every event, because a handle from before a file server went away may be
    useless when the server is back.
    """

    def __init__(self, study: Path, path: StudyPath):
        self._study = study
        self._path = path
        self._size = 0
        self._waiting = b""  # the end of the file, which the disk may lack
        self._clean = False  # whether the file ends with the last event

    @classmethod
    def open(cls, study: Path) -> "FileLog":
        """See :func:`open_log`."""
        log = cls(study, last_segment(study))
        with_retries(log._cut_off, log._path)
        return log

    def append(self, event: Event, can_wait: bool = False) -> None:
        """See :class:`EventLog`."""
        line = encode(event)
        try:
            with_retries(lambda: self._append(line, durable=not can_wait), self._path)
        except OSError:
            with suppress(OSError), self._path.open("r+b") as file:
                file.truncate(self._size)
            raise
        self._size += len(line)
        self._waiting = self._waiting + line if can_wait else b""

    def flush(self) -> None:
        """See :class:`EventLog`; every event is in the file."""

    def close(self) -> None:
        """See :class:`EventLog`."""

    def _cut_off(self) -> None:
        with self._path.open("a+b") as file:
            self._size = end_of_whole_lines(file)
            file.truncate(self._size)
            os.fsync(file.fileno())
        self._clean = True

    def _append(self, line: bytes, durable: bool) -> None:
        with self._path.open("r+b", buffering=0) as file:
            if self._clean and os.fstat(file.fileno()).st_size != self._size:
                raise LockLostError(self._study)
            self._clean = False  # a disk that fills up takes a part first, and then raises
            file.truncate(self._size)
            # After an fsync that failed, the next one succeeds without what was written before.
            again = self._waiting if durable else b""
            file.seek(self._size - len(again))
            unwritten = memoryview(again + line)
            while unwritten:
                unwritten = unwritten[file.write(unwritten) :]
            if durable:
                os.fsync(file.fileno())
        self._clean = True


class ObjectLog:
    """An event log in an object store; see :meth:`open`.

    A search that has lost its lease must not write to it. So whoever opens the log writes half a
    line of its own at the end, which no reader takes for an event. If the store has conditional
    writes, it refuses from then on what the earlier search writes.
    """

    _path: StudyPath
    _content: bytes
    _tag: Tag
    _written: float

    def __init__(self, study: StudyPath):
        self._study = study
        self._waiting = b""

    @classmethod
    def open(cls, study: StudyPath) -> "ObjectLog":
        """See :func:`open_log`."""
        log = cls(study)
        fence = uuid.uuid4().hex.encode()
        while not log._fence_off(fence):  # the earlier search has just written an event
            pass
        return log

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

    def _fence_off(self, fence: bytes) -> bool:
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
        yield from parse_events(read_blocks(path), path)
