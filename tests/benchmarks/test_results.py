"""The clock of a race."""

import json

import pytest

from benchmarks.baselines import results
from benchmarks.baselines.results import Taken, note, taken


@pytest.fixture
def file(tmp_path, monkeypatch):
    path = tmp_path / "results"
    path.touch()
    monkeypatch.setenv(results.FILE, str(path))
    return path


def at(monkeypatch, seconds: float, trial: object, tokens: int, solved: bool = False) -> None:
    """A result that comes at this time."""
    monkeypatch.setattr(results.time, "monotonic", lambda: 1000.0 + seconds)
    note(trial, tokens, solved)


def test_the_clock_stops_when_a_trial_has_solved_T(file, monkeypatch):
    at(monkeypatch, 10, "a", 100)
    at(monkeypatch, 11, "b", 100)
    assert taken(file, 1000, 60) == Taken(60, 200, 2, False)
    at(monkeypatch, 20, "a", 200, solved=True)
    at(monkeypatch, 21, "b", 200)
    assert taken(file, 1000, 60) == Taken(20, 300, 2, True)


def test_what_comes_after_the_limit_does_not_count(file, monkeypatch):
    at(monkeypatch, 10, 0, 100)
    at(monkeypatch, 61, 1, 100, solved=True)
    assert taken(file, 1000, 60) == Taken(60, 100, 1, False)


def test_a_search_may_go_on_until_several_trials_have_solved_T(file, monkeypatch):
    for seconds, trial in ((10, "a"), (11, "a"), (12, "b")):
        at(monkeypatch, seconds, trial, 100, solved=True)
    assert taken(file, 1000, 60, solved_trials=2).seconds == 12


def test_a_line_that_is_being_written_is_not_read(file, monkeypatch):
    at(monkeypatch, 10, "a", 100)
    with file.open("a") as growing:
        growing.write(json.dumps({"at": 1011.0, "trial": "a"})[:-4])
    assert taken(file, 1000, 60) == Taken(60, 100, 1, False)


def test_nothing_was_reported_yet(file):
    assert taken(file, 1000, 60) == Taken(60, 0, 0, False)
