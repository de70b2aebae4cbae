"""The events of a study: one line of JSON each, appended, never changed.

In a folder they are in one file. An object store cannot append, so there they are in several:
``events.jsonl``, ``events-0001.jsonl``, and so on. A process that is killed, or a disk that fills
up, can leave half a line at the end of the last file; that event has not happened.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from studies import format as files
from studies.paths import StudyPath

Event = dict[str, Any]

UNFINISHED = b'"status":""}'
"""How the line of a result ends whose trial continues. Nearly all events are such results, so a
reader that does not need them skips them by their bytes, which is ten times faster than to parse
them."""


def to_line(event: Event) -> bytes:
    """Encode an event."""
    return json.dumps(event, separators=(",", ":")).encode() + b"\n"


def parse_events(content: bytes, source: object, skip_unfinished: bool = False) -> Iterator[Event]:
    """Decode the whole lines of a file of events.

    Args:
        source: name of the file, for messages.
        skip_unfinished: leave out the results of trials that continue, but for one in the last
            line: it is how long the study is known to have run.

    Raises:
        ValueError: a line is damaged; the message says which.
    """
    lines = content[: whole_lines(content)].splitlines()
    for number, line in enumerate(lines, start=1):
        if skip_unfinished and line.endswith(UNFINISHED) and number < len(lines):
            continue
        try:
            event = json.loads(line)
        except ValueError:
            event = None
        if not isinstance(event, dict):
            raise ValueError(f"{source}, line {number}: no valid event")
        yield event


def whole_lines(content: bytes) -> int:
    """Bytes up to the end of the last whole line."""
    return content.rfind(b"\n") + 1


def segment_name(number: int) -> str:
    """The name of the file of events with this number."""
    stem, suffix = files.EVENTS_FILE.split(".")
    return f"{stem}-{number:04}.{suffix}" if number else files.EVENTS_FILE


def segment_number(path: StudyPath) -> int:
    """The number in the name of a file of events."""
    digits = re.findall(r"-(\d+)\.", path.name)
    return int(digits[0]) if digits else 0


def segments(paths: Iterable[StudyPath]) -> list[StudyPath]:
    """Those of the files in a study that are files of events, in order."""
    found = [path for path in paths if path.name == segment_name(segment_number(path))]
    return sorted(found, key=segment_number)
