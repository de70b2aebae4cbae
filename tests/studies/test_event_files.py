"""The lines of events: what is written comes back, and what other versions wrote can be read."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st
from points import point

from studies.event_files import (
    KINDS,
    UNFINISHED,
    UnknownEventError,
    decode,
    encode,
    parse_events,
    segments,
)
from studies.events import Result, TrialFailed

# Hundredths, since hypothesis has no floats where denormal numbers are flushed.
NUMBERS = st.integers(-(10**6), 10**6).map(lambda hundredths: hundredths / 100)
COUNTS = st.integers(0, 2**53)
VALUES = st.one_of(st.none(), st.booleans(), COUNTS, NUMBERS, st.text(max_size=9))
HYPERPARAMETERS = st.dictionaries(st.text(max_size=9), VALUES, max_size=4)

OF_TYPE = {
    float: NUMBERS,
    int: COUNTS,
    str: st.text(max_size=20),
    bool: st.booleans(),
    type(None): st.none(),
    Mapping[str, Any]: HYPERPARAMETERS,
    Sequence[Mapping[str, Any]]: st.lists(HYPERPARAMETERS, max_size=3),
}


def instances(of: type) -> st.SearchStrategy:
    """Instances of a class of studies.events, with any values."""
    return st.builds(of, **{name: values(kind) for name, kind in get_type_hints(of).items()})


def values(kind: Any) -> st.SearchStrategy:
    if isinstance(kind, UnionType):
        return st.one_of(map(values, get_args(kind)))
    return OF_TYPE[kind] if kind in OF_TYPE else instances(kind)


ANY_EVENT = st.one_of([instances(kind) for kind in KINDS.values()])


@given(ANY_EVENT)
def test_an_event_comes_back_as_it_was(event):
    line = encode(event)
    assert line.count(b"\n") == 1
    assert decode(line) == event


@given(ANY_EVENT, st.integers())
def test_fields_that_a_newer_version_added_are_left_out(event, more):
    values = json.loads(encode(event))
    for record in (values, values.get("metrics"), values.get("row"), values.get("scores")):
        if record:
            record["added_later"] = more
    assert decode(json.dumps(values).encode()) == event


@given(st.lists(ANY_EVENT, max_size=6), st.integers(1, 999))
def test_only_results_of_trials_that_continue_are_skipped(happened, size):
    content = b"".join(map(encode, happened))
    assert list(parse_events([content], "log")) == happened
    pieces = [content[at : at + size] for at in range(0, len(content), size)]
    assert list(parse_events(pieces, "log")) == happened
    rest = [e for e in happened[:-1] if not isinstance(e, Result) or e.status] + happened[-1:]
    assert list(parse_events([content], "log", skip_unfinished=True)) == rest
    for event in happened:
        skipped = isinstance(event, Result) and not event.status
        assert encode(event).endswith(UNFINISHED + b"\n") == skipped


STARTED = {"event": "trial_started", "elapsed": 1.0, "trial_id": "a", "training": {"T": 5}}
EARLY = {
    "trial_started": (STARTED, {"stage": "search", "streams": 1, "confirms": ""}),
    "result": (
        {
            "event": "result", "elapsed": 1.0, "trial_id": "a", "parameters": 9, "status": "",
            "metrics": dataclasses.asdict(point(1, 0.5)),
        },
        {"host": "", "gpus": None},
    ),
    "trial_retried": (
        {"event": "trial_retried", "elapsed": 1.0, "trial_id": "a", "error": "lost"},
        {"blameless": False},
    ),
    "trial_restarted": (
        {"event": "trial_restarted", "elapsed": 1.0, "trial_id": "a", "stage": "final"},
        {"streams": 1},
    ),
    "confirmed": (
        {"event": "confirmed", "elapsed": 1.0, "trial_id": "a", "scores": {}},
        {"scores": None},
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", EARLY)
def test_what_the_lines_of_earlier_versions_lack_has_its_default(kind):
    values, expected = EARLY[kind]
    event = decode(json.dumps(values).encode())
    assert {name: getattr(event, name) for name in expected} == expected


def test_an_unknown_event_is_refused_with_its_line():
    content = encode(TrialFailed(elapsed=1, trial_id="a", error="")) + b'{"event":"paused"}\n'
    message = r"^log, line 2: unknown event 'paused'; a newer version of the program may have"
    with pytest.raises(UnknownEventError, match=message):
        list(parse_events([content], "log"))


@pytest.mark.parametrize(
    "line",
    [
        "{", "3", "[]", "{}", '{"event":1}', '{"event":[]}', '{"event":"trial_failed"}',
        '{"event":"trial_failed","elapsed":"soon","trial_id":"a","error":""}',
        '{"event":"result","elapsed":1,"trial_id":"a","metrics":3,"parameters":1,"status":""}',
        '{"event":"result","elapsed":1,"trial_id":"a","metrics":{},"parameters":1,"status":""}',
        '{"event":"best","elapsed":1,"T":5,"row":null}',
    ],
)  # fmt: skip
def test_a_damaged_line_is_refused_with_its_number(line):
    with pytest.raises(ValueError, match=r"^log, line 1: no valid event$"):
        list(parse_events([line.encode() + b"\n"], "log"))


def test_the_half_line_at_the_end_has_not_happened():
    event = TrialFailed(elapsed=1, trial_id="a", error="")
    assert list(parse_events([encode(event) + encode(event)[:-1]], "log")) == [event]


def test_segments_are_in_order_and_nothing_else_is_one():
    names = ["events-0010.jsonl", "events.jsonl", "events-2.jsonl", "events-0002.jsonl", "a.csv"]
    found = segments(Path(name) for name in names)
    assert [path.name for path in found] == [
        "events.jsonl", "events-0002.jsonl", "events-0010.jsonl"
    ]  # fmt: skip


def test_events_and_points_cannot_be_changed():
    event = TrialFailed(elapsed=1, trial_id="a", error="")
    for record, name in ((event, "elapsed"), (point(1, 0.5), "tokens")):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(record, name, 2)
