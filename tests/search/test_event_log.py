import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search.event_log import EventLog, read_events

EVENTS = [{"event": "a", "text": "ä, \n"}, {"event": "b", "number": 0.1}, {"event": "c"}]


def write(path, events) -> None:
    log = EventLog(path)
    for event in events:
        log.append(event)
    log.close()


def test_events_come_back_as_they_were(tmp_path):
    write(tmp_path / "log", EVENTS)
    assert read_events(tmp_path / "log") == EVENTS


@given(st.data())
def test_a_log_cut_off_anywhere_holds_whole_events_and_takes_more(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("cut") / "log"
    write(path, EVENTS)
    content = path.read_bytes()
    length = data.draw(st.integers(0, len(content)))
    path.write_bytes(content[:length])
    whole = content[:length].count(b"\n")
    assert read_events(path) == EVENTS[:whole]
    write(path, [{"event": "after"}])
    assert read_events(path) == [*EVENTS[:whole], {"event": "after"}]


def test_a_long_last_line_that_was_cut_off_is_left_out(tmp_path):
    write(tmp_path / "log", EVENTS[:1])
    with (tmp_path / "log").open("ab") as file:
        file.write(b'{"event": "' + b"x" * 200_000)
    assert read_events(tmp_path / "log") == EVENTS[:1]
    write(tmp_path / "log", EVENTS[1:])
    assert read_events(tmp_path / "log") == EVENTS


def test_a_damaged_line_is_named(tmp_path):
    write(tmp_path / "log", EVENTS)
    lines = (tmp_path / "log").read_text().splitlines()
    (tmp_path / "log").write_text("\n".join([lines[0], "{", lines[2], ""]))
    with pytest.raises(ValueError, match=r"log, line 2: no valid event"):
        read_events(tmp_path / "log")


def test_every_line_is_json(tmp_path):
    write(tmp_path / "log", EVENTS)
    assert [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()] == EVENTS
