import errno
import json
import os
import resource
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stores import BUCKET, object_store
from upath import UPath

from search.errors import LockLostError
from search.study import event_log as log_module
from search.study.event_log import SEGMENT_BYTES, open_log, read_events, study_segments
from studies.events import LengthEnded, TrialFailed

EVENTS = [
    TrialFailed(elapsed=0.1, trial_id="a", error="ä, \n"),
    LengthEnded(elapsed=0.25, T=5, limit="trials", value=0.1),
    TrialFailed(elapsed=3, trial_id="b", error=""),
]
AFTER = TrialFailed(elapsed=4, trial_id="after", error="")


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
    assert list(read_events(study)) == EVENTS


@given(st.data())
def test_a_log_cut_off_anywhere_holds_whole_events_and_takes_more(tmp_path_factory, data):
    study = tmp_path_factory.mktemp("cut")
    write(study, EVENTS)
    path = study / "events.jsonl"
    content = path.read_bytes()
    length = data.draw(st.integers(0, len(content)))
    path.write_bytes(content[:length])
    whole = content[:length].count(b"\n")
    assert list(read_events(study)) == EVENTS[:whole]
    write(study, [AFTER])
    assert list(read_events(study)) == [*EVENTS[:whole], AFTER]


def test_a_long_last_line_that_was_cut_off_is_left_out(tmp_path):
    write(tmp_path, EVENTS[:1])
    with (tmp_path / "events.jsonl").open("ab") as file:
        file.write(b'{"event": "' + b"x" * 200_000)
    assert list(read_events(tmp_path)) == EVENTS[:1]
    write(tmp_path, EVENTS[1:])
    assert list(read_events(tmp_path)) == EVENTS


def test_a_damaged_line_is_named(study):
    write(study, EVENTS)
    path = study / "events.jsonl"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], "{", lines[2], ""]))
    with pytest.raises(ValueError, match=r"events.jsonl, line 2: no valid event"):
        list(read_events(study))


def test_every_line_is_json(study):
    write(study, EVENTS)
    lines = (study / "events.jsonl").read_text().splitlines()
    kinds = [json.loads(line)["event"] for line in lines]
    assert kinds == ["trial_failed", "length_ended", "trial_failed"]


def test_what_can_wait_reaches_a_store_with_what_cannot_and_in_order():
    study = UPath("memory://waiting/study")
    log = open_log(study)
    log.append(EVENTS[0], can_wait=True)
    log.append(EVENTS[1], can_wait=True)
    assert list(read_events(study)) == []
    log.append(EVENTS[2])
    assert list(read_events(study)) == EVENTS
    log.append(EVENTS[0], can_wait=True)
    log.flush()
    log.append(EVENTS[1], can_wait=True)
    log.close()
    assert list(read_events(study)) == [*EVENTS, *EVENTS[:2]]


def test_what_can_wait_is_in_a_file_at_once_and_on_the_disk_with_what_cannot(tmp_path, monkeypatch):
    log = open_log(tmp_path)
    synced = []
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append(os.fstat(handle).st_size))
    log.append(EVENTS[0], can_wait=True)
    log.append(EVENTS[1], can_wait=True)
    assert list(read_events(tmp_path)) == EVENTS[:2]
    assert synced == []
    log.append(EVENTS[2])
    assert synced == [(tmp_path / "events.jsonl").stat().st_size]


def test_what_waited_is_written_again_after_the_disk_has_failed(tmp_path, monkeypatch):
    log = open_log(tmp_path)
    log.append(EVENTS[0])
    on_disk, fsync, faults = (tmp_path / "events.jsonl").stat().st_size, os.fsync, iter([True])

    def lose(handle: int) -> None:
        if next(faults, False):
            size = os.fstat(handle).st_size
            os.pwrite(handle, bytes(size - on_disk), on_disk)
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", lose)
    log.append(EVENTS[1], can_wait=True)
    log.append(EVENTS[2])
    assert next(faults, "used") == "used"
    assert list(read_events(tmp_path)) == EVENTS


def test_a_long_log_on_a_store_is_written_in_pieces_and_goes_on_in_a_folder(tmp_path):
    """A study can be copied from a store to a folder, and go on there."""
    store = UPath("memory://long/study")
    events = [TrialFailed(elapsed=n, trial_id="x", error="x" * 4950) for n in range(40)]
    write(store, events)
    assert [path.name for path in study_segments(store)] == [
        "events.jsonl", "events-0001.jsonl", "events-0002.jsonl"
    ]  # fmt: skip
    assert all(path.stat().st_size < SEGMENT_BYTES + 6000 for path in study_segments(store))
    for path in study_segments(store):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    write(tmp_path, EVENTS)
    assert list(read_events(tmp_path)) == [*events, *EVENTS]


def test_half_a_line_that_was_copied_into_a_store_is_left_out():
    study = UPath("memory://copied/study")
    write(study, EVENTS[:1])
    path = study / "events.jsonl"
    path.write_bytes(path.read_bytes() + b'{"event": "b", "num')
    write(study, EVENTS[1:])
    assert list(read_events(study)) == EVENTS


@pytest.fixture(scope="module")
def store():
    with object_store():
        yield UPath(f"s3://{BUCKET}/logs")


LONG = TrialFailed(elapsed=0, trial_id="long", error="x" * SEGMENT_BYTES)


@pytest.mark.parametrize(
    "before",
    [[], EVENTS[:1], [LONG], [LONG, *EVENTS[:1]], [LONG, LONG]],
    ids=["empty", "one event", "full file", "second file", "two full files"],
)
def test_a_log_in_a_store_is_not_written_by_the_search_that_had_it_before(store, tmp_path, before):
    study = store / tmp_path.name
    earlier = open_log(study)
    for event in before:
        earlier.append(event)
    log = open_log(study)
    for event in EVENTS[:2]:
        with pytest.raises(LockLostError, match=f"another process has taken over {study}"):
            earlier.append(event)
    log.append(EVENTS[2])
    with pytest.raises(LockLostError):
        earlier.append(EVENTS[0])
    earlier.close()
    log.append(EVENTS[0])
    assert list(read_events(study)) == [*before, EVENTS[2], EVENTS[0]]
    write(study, EVENTS)
    assert list(read_events(study)) == [*before, EVENTS[2], EVENTS[0], *EVENTS]


def test_an_event_that_is_written_when_the_next_search_begins_is_before_it_or_refused(
    store, tmp_path, monkeypatch
):
    """The search before writes between the reading and the writing of the next one."""
    study = store / tmp_path.name
    earlier = open_log(study)
    put = log_module.replace_object
    late = iter(EVENTS)

    def write_first(path, content, seen):
        monkeypatch.setattr(log_module, "replace_object", put)
        if (event := next(late, None)) is not None:
            earlier.append(event)
            monkeypatch.setattr(log_module, "replace_object", write_first)
        return put(path, content, seen)

    monkeypatch.setattr(log_module, "replace_object", write_first)
    log = open_log(study)
    with pytest.raises(LockLostError):
        earlier.append(EVENTS[0])
    log.append(EVENTS[0])
    assert list(read_events(study)) == [*EVENTS, EVENTS[0]]


def test_an_event_whose_confirmation_is_lost_is_there_once(store, tmp_path):
    """The store has written it, but the connection breaks before it says so."""
    study = store / tmp_path.name
    log = open_log(study)
    log.append(EVENTS[0])
    call, lost = study.fs.call_s3, iter([True])

    def lose_the_first_answer(*arguments, **keywords):
        answer = call(*arguments, **keywords)
        if next(lost, False):
            raise ConnectionResetError("reset")
        return answer

    study.fs.call_s3 = lose_the_first_answer
    try:
        log.append(EVENTS[1])
    finally:
        del study.fs.call_s3
    assert next(lost, "used") == "used"
    log.append(EVENTS[2])
    assert list(read_events(study)) == EVENTS


def test_a_file_that_another_process_has_written_is_not_appended_to(tmp_path):
    log = open_log(tmp_path)
    log.append(EVENTS[0])
    write(tmp_path, EVENTS[1:])
    with pytest.raises(LockLostError, match=f"another process has taken over {tmp_path}"):
        log.append(EVENTS[0])
    assert list(read_events(tmp_path)) == EVENTS


def test_events_do_not_go_to_a_file_that_was_removed(tmp_path):
    log = open_log(tmp_path)
    log.append(EVENTS[0])
    (tmp_path / "events.jsonl").unlink()
    with pytest.raises(FileNotFoundError):
        log.append(EVENTS[1])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("code", [errno.EIO, errno.ESTALE])
def test_a_file_server_that_is_away_is_waited_for(tmp_path, monkeypatch, code):
    log = open_log(tmp_path)
    log.append(EVENTS[0])
    fsync, faults = os.fsync, iter([True, True])

    def fail_twice(handle: int) -> None:
        if next(faults, False):
            raise OSError(code, os.strerror(code))
        fsync(handle)

    monkeypatch.setattr(os, "fsync", fail_twice)
    log.append(EVENTS[1])
    assert next(faults, "used") == "used"
    log.append(EVENTS[2])
    assert list(read_events(tmp_path)) == EVENTS


def test_an_event_that_was_written_half_did_not_happen(tmp_path):
    log = open_log(tmp_path)
    log.append(EVENTS[0])
    path = tmp_path / "events.jsonl"
    before, limits = path.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 7, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            log.append(EVENTS[1])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == before
    for event in EVENTS[1:]:
        log.append(event)
    assert list(read_events(tmp_path)) == EVENTS
