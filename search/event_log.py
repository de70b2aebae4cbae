"""The events of a study: one line of JSON each, appended, never changed.

In a folder they are one file. An object store cannot append: there the last of several files,
``events.jsonl``, ``events-0001.jsonl``, ..., is written anew each time, and a new one begins when
it has become long. A study can be copied from one to the other and go on there.
"""

import json
import os
import re
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import study_format as files
from search.storage import children, read_bytes, write_bytes
from study_paths import StudyPath

Event = dict[str, Any]

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
        """

    def flush(self) -> None:
        """Write the events that wait.

        Raises:
            OSError: they could not be written.
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
    last = segments(study)[-1] if segments(study) else study / files.EVENTS_FILE
    return FileLog(last) if isinstance(last, Path) else ObjectLog(last)


class FileLog:
    """An event log in a file of this machine, or of a file server."""

    def __init__(self, path: Path):
        self._file = path.open("ab", buffering=0)
        self._size = whole_lines(path.read_bytes())
        self._file.truncate(self._size)

    def append(self, event: Event, can_wait: bool = False) -> None:
        """See :class:`EventLog`."""
        line = to_line(event)
        try:
            unwritten = memoryview(line)
            while unwritten:  # a disk that fills up takes a part first, and then raises
                unwritten = unwritten[self._file.write(unwritten) :]
            os.fsync(self._file.fileno())
        except OSError:
            self._file.truncate(self._size)
            raise
        self._size += len(line)

    def flush(self) -> None:
        """See :class:`EventLog`; none waits."""

    def close(self) -> None:
        """See :class:`EventLog`."""
        self._file.close()


class ObjectLog:
    """An event log in an object store."""

    def __init__(self, last: StudyPath):
        self._path = last
        self._content = read_bytes(last) if last.exists() else b""  # of the last file, as it is
        self._waiting = b""
        self._write(last, self._content)

    def append(self, event: Event, can_wait: bool = False) -> None:
        """See :class:`EventLog`."""
        line = to_line(event)
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
        with suppress(OSError):
            self.flush()

    def _put(self, lines: bytes) -> None:
        path, content = self._path, self._content
        if len(content) >= SEGMENT_BYTES:
            path, content = path.with_name(segment_name(segment_number(path) + 1)), b""
        self._write(path, content + lines)
        self._waiting = b""

    def _write(self, path: StudyPath, content: bytes) -> None:
        write_bytes(path, content)
        self._path, self._content, self._written = path, content, time.monotonic()


def to_line(event: Event) -> bytes:
    """The line of an event."""
    return json.dumps(event, separators=(",", ":")).encode() + b"\n"


def segment_name(number: int) -> str:
    """The name of the file with this number."""
    stem, suffix = files.EVENTS_FILE.split(".")
    return f"{stem}-{number:04}.{suffix}" if number else files.EVENTS_FILE


def segment_number(path: StudyPath) -> int:
    """The number in the name of a file of events."""
    digits = re.findall(r"-(\d+)\.", path.name)
    return int(digits[0]) if digits else 0


def segments(study: StudyPath) -> list[StudyPath]:
    """The files of events of a study, in order.

    Raises:
        OSError: the store cannot be read.
    """
    found = [path for path in children(study) if path.name == segment_name(segment_number(path))]
    return sorted(found, key=segment_number)


def read_study_events(study: StudyPath) -> list[Event]:
    """All events of a study, in order.

    Raises:
        OSError: they cannot be read.
        ValueError: a line is damaged; says which.
    """
    return [event for path in segments(study) for event in read_events(path)]


def read_events(path: StudyPath) -> list[Event]:
    """The events of one file, in order; without the half line that may stand at its end.

    Raises:
        OSError: there is no such file.
        ValueError: a line is damaged; says which.
    """
    content = read_bytes(path)
    events = []
    for number, line in enumerate(content[: whole_lines(content)].splitlines(), start=1):
        try:
            events.append(json.loads(line))
        except ValueError:
            raise ValueError(f"{path}, line {number}: no valid event") from None
    return events


def whole_lines(content: bytes) -> int:
    """Bytes up to the end of the last whole line."""
    return content.rfind(b"\n") + 1
