import json
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st
from upath import UPath

from search.event_log import SEGMENT_BYTES, open_log, read_study_events, segments

EVENTS = [{"event": "a", "text": "ä, \n"}, {"event": "b", "number": 0.1}, {"event": "c"}]


@pytest.fixture(params=["folder", "store"])
def study(request, tmp_path):
    path = UPath(tmp_path if request.param == "folder" else f"memory://{tmp_path.name}") / "study"
    path.mkdir(parents=True)
    yield path
    path.rmdir(recursive=True) if request.param == "store" else shutil.rmtree(path)


def write(study, events) -> None:
    log = open_log(study)
    for event in events:
        log.append(event)
    log.close()


def test_events_come_back_as_they_were(study):
    write(study, EVENTS[:1])
    write(study, EVENTS[1:])
    assert read_study_events(study) == EVENTS


@given(st.data())
def test_a_log_cut_off_anywhere_holds_whole_events_and_takes_more(tmp_path_factory, data):
    study = tmp_path_factory.mktemp("cut")
    write(study, EVENTS)
    path = study / "events.jsonl"
    content = path.read_bytes()
    length = data.draw(st.integers(0, len(content)))
    path.write_bytes(content[:length])
    whole = content[:length].count(b"\n")
    assert read_study_events(study) == EVENTS[:whole]
    write(study, [{"event": "after"}])
    assert read_study_events(study) == [*EVENTS[:whole], {"event": "after"}]


def test_a_long_last_line_that_was_cut_off_is_left_out(tmp_path):
    write(tmp_path, EVENTS[:1])
    with (tmp_path / "events.jsonl").open("ab") as file:
        file.write(b'{"event": "' + b"x" * 200_000)
    assert read_study_events(tmp_path) == EVENTS[:1]
    write(tmp_path, EVENTS[1:])
    assert read_study_events(tmp_path) == EVENTS


def test_a_damaged_line_is_named(study):
    write(study, EVENTS)
    path = study / "events.jsonl"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], "{", lines[2], ""]))
    with pytest.raises(ValueError, match=r"events.jsonl, line 2: no valid event"):
        read_study_events(study)


def test_every_line_is_json(study):
    write(study, EVENTS)
    lines = (study / "events.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == EVENTS


def test_what_can_wait_reaches_a_store_with_what_cannot_and_in_order():
    study = UPath("memory://waiting/study")
    log = open_log(study)
    log.append(EVENTS[0], can_wait=True)
    log.append(EVENTS[1], can_wait=True)
    assert read_study_events(study) == []
    log.append(EVENTS[2])
    assert read_study_events(study) == EVENTS
    log.append(EVENTS[0], can_wait=True)
    log.flush()
    log.append(EVENTS[1], can_wait=True)
    log.close()
    assert read_study_events(study) == [*EVENTS, *EVENTS[:2]]


def test_a_long_log_on_a_store_is_written_in_pieces_and_goes_on_in_a_folder(tmp_path):
    """A study can be copied from a store to a folder, and go on there."""
    store = UPath("memory://long/study")
    events = [{"event": "x", "number": n, "text": "x" * 5000} for n in range(40)]
    write(store, events)
    assert [path.name for path in segments(store)] == [
        "events.jsonl", "events-0001.jsonl", "events-0002.jsonl"
    ]  # fmt: skip
    assert all(path.stat().st_size < SEGMENT_BYTES + 6000 for path in segments(store))
    for path in segments(store):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    write(tmp_path, EVENTS)
    assert read_study_events(tmp_path) == [*events, *EVENTS]
