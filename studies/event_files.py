"""The files of a study's events: one line of JSON an event, appended and never changed.

In a folder they are one file, ``events.jsonl``. An object store cannot append, so there they are
several: ``events.jsonl``, ``events-0001.jsonl``, and so on. A process that is killed, or a disk
that fills up, can leave half a line at the end of the last file; that event has not happened.
"""

import dataclasses
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar, cast

from pydantic_core import from_json

from studies import events
from studies import format as files
from studies.events import Event
from studies.paths import StudyPath

KINDS: Mapping[str, type[Event]] = {
    "length_began": events.LengthBegan,
    "configuration_enqueued": events.ConfigurationEnqueued,
    "length_ended": events.LengthEnded,
    "trial_started": events.TrialStarted,
    "result": events.Result,
    "trial_failed": events.TrialFailed,
    "trial_retried": events.TrialRetried,
    "trial_restarted": events.TrialRestarted,
    "trial_cut_off": events.TrialCutOff,
    "racing_began": events.RacingBegan,
    "racing_ended": events.RacingEnded,
    "best": events.Best,
    "confirmed": events.Confirmed,
}
"""The name of each kind of event in its line -> its class."""

NAMES = {kind: name for name, kind in KINDS.items()}

PARTS: Mapping[type[Event], tuple[str, type[Any]]] = {
    events.Result: ("metrics", events.Point),
    events.Best: ("row", events.BestTrial),
    events.Confirmed: ("scores", events.Scores),
}
"""Of the events with a field that has fields of its own: that field, and its class."""

UNFINISHED = b'"status":""}'
"""How the line of a result ends whose trial continues. Nearly all events are such results, so a
reader that does not need them skips them by their bytes, which is ten times faster than to decode
them."""

Record = TypeVar("Record")


class UnknownEventError(ValueError):
    """An event is of a kind that this version does not know."""


def encode(event: Event) -> bytes:
    """The line of an event."""
    line = {"event": NAMES[type(event)], **_values(event)}
    return _encoder.encode(line).encode() + b"\n"


def decode(line: bytes) -> Event:
    """The event of a line. Fields that a newer version has added are left out.

    Raises:
        UnknownEventError: a newer version may have added this kind of event.
        ValueError, TypeError, KeyError, AttributeError: the line is damaged.
    """
    values = from_json(line)
    name = values.pop("event")
    if isinstance(name, str) and name not in KINDS:
        raise UnknownEventError(
            f"unknown event {name!r}; a newer version of the program may have written it"
        )
    kind = KINDS[name]
    if kind in PARTS:
        field, of = PARTS[kind]
        untested = kind is events.Confirmed and not values[field]
        values[field] = None if untested else make_record(of, values[field])
    event = make_record(kind, values)
    if not isinstance(event.elapsed, (float, int)):
        raise TypeError
    return event


def make_record(of: type[Record], values: Mapping[str, Any]) -> Record:
    """An instance of a class in :mod:`studies.events` with the values that have a field.

    Raises:
        TypeError: a field has no value.
    """
    try:
        made: Record = _maker(cast(Any, of))(values)
        return made
    except KeyError:  # an earlier version wrote them: what is not there has its default
        names, _ = _fields(cast(Any, of))
        return of(**{name: values[name] for name in names if name in values})


@cache
def _maker(of: type[Any]) -> Callable[[Mapping[str, Any]], Any]:
    """What makes an instance of values that are all there, in half the time of its __init__: that
    of a frozen class is slow, and a long study has many events.
    """
    slots = [(field.name, getattr(of, field.name).__set__) for field in dataclasses.fields(of)]

    def make(values: Mapping[str, Any]) -> Any:
        record = object.__new__(of)
        for name, put in slots:
            put(record, values[name])
        return record

    return make


def parse_events(
    blocks: Iterable[bytes], source: object, skip_unfinished: bool = False
) -> Iterator[Event]:
    """Decode the whole lines of a file of events.

    Args:
        blocks: its content in any number of pieces.
        source: name of the file, for messages.
        skip_unfinished: leave out the results of trials that continue, but for one in the last
            line, which says how long the study has run.

    Raises:
        UnknownEventError: a newer version may have written a line; the message says which.
        ValueError: a line is damaged; the message says which.
    """
    number, skipped, half = 0, b"", b""
    for block in blocks:
        *lines, half = (half + block).split(b"\n")
        for line in lines:
            number += 1
            skipped = line if skip_unfinished and line.endswith(UNFINISHED) else b""
            if not skipped:
                yield _parsed(line, source, number)
    if skipped:
        yield _parsed(skipped, source, number)


def _parsed(line: bytes, source: object, number: int) -> Event:
    try:
        return decode(line)
    except UnknownEventError as error:
        raise UnknownEventError(f"{source}, line {number}: {error}") from None
    except (ValueError, TypeError, KeyError, AttributeError):
        raise ValueError(f"{source}, line {number}: no valid event") from None


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


def _values(record: Any) -> dict[str, Any]:
    names, values = _fields(cast(Any, type(record)))
    return dict(zip(names, values(record), strict=True))


@cache
def _fields(of: type[Any]) -> tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]:
    """The names of the fields of a class, and what reads their values from an instance."""
    names = tuple(field.name for field in dataclasses.fields(of))
    return names, attrgetter(*names)


_encoder = json.JSONEncoder(separators=(",", ":"), default=_values)
