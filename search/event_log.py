"""The events of a study: one line of JSON each, appended, never changed."""

import json
import os
from pathlib import Path
from typing import Any

Event = dict[str, Any]


class EventLog:
    """Appends events so that each is on the disk as a whole, or not at all.

    A process that is killed, or a disk that fills up, can leave half a line at the end. That
    event never happened: it is cut off when the log is opened again.

    Raises:
        OSError: the file cannot be opened or written.
    """

    def __init__(self, path: Path):
        self._file = path.open("ab", buffering=0)
        self._size = end_of_last_line(path)
        self._file.truncate(self._size)

    def append(self, event: Event) -> None:
        """Write an event; when this returns it will survive the process and the machine.

        Raises:
            OSError: it could not be written; the log is as it was before.
        """
        line = json.dumps(event, separators=(",", ":")).encode() + b"\n"
        try:
            unwritten = memoryview(line)
            while unwritten:  # a disk that fills up takes a part first, and then raises
                unwritten = unwritten[self._file.write(unwritten) :]
            os.fsync(self._file.fileno())
        except OSError:
            self._file.truncate(self._size)
            raise
        self._size += len(line)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_events(path: Path) -> list[Event]:
    """All events of a log, in order; without the half line that may stand at its end.

    Raises:
        OSError: there is no such file.
        ValueError: a line is damaged; says which.
    """
    content = path.read_bytes()[: end_of_last_line(path)]
    events = []
    for number, line in enumerate(content.splitlines(), start=1):
        try:
            events.append(json.loads(line))
        except ValueError:
            raise ValueError(f"{path}, line {number}: no valid event") from None
    return events


def end_of_last_line(path: Path) -> int:
    """Bytes up to the end of the last whole line."""
    with path.open("rb") as file:
        position = file.seek(0, os.SEEK_END)
        while position > 0:  # from the end, so that a long log is not read as a whole
            start = max(0, position - 65536)
            file.seek(start)
            newline = file.read(position - start).rfind(b"\n")
            if newline >= 0:
                return start + newline + 1
            position = start
    return 0
