"""How a search is run for real, with a script in place of each search."""

import os
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
from searches import wait_for

from benchmarks.baselines import listener, race, results
from benchmarks.baselines.race import OTHERS, SIDES, Search, run
from search.errors import SearchFailedError

NOTE = "from benchmarks.baselines.results import note; import sys, time; "


class Scripted(Search):
    """A search that is this Python code."""

    def command(self, storage: Path) -> list[str]:
        return [sys.executable, "-c", NOTE + self.side]


def search(code: str, minutes: float = 1.0, **settings) -> Search:
    return Scripted(code, (), 1000, 2, minutes, **settings)


def test_a_search_that_has_solved_T_is_ended(tmp_path):
    code = "note('a', 100, False); note('a', 200, True); print('x' * 10**5); time.sleep(600)"
    began = time.monotonic()
    took = run(search(code), tmp_path)
    assert took.solved
    assert (took.tokens, took.trials) == (200, 1)
    assert 0 < took.seconds < time.monotonic() - began < 60


def test_a_search_is_given_up_at_its_limit(tmp_path):
    took = run(search("note('a', 100, False); time.sleep(600)", minutes=0.05), tmp_path)
    assert (took.solved, took.seconds) == (False, 3.0)


def test_a_search_that_fails_says_why(tmp_path):
    with pytest.raises(SearchFailedError, match="exit code 1: ValueError: no space"):
        run(search("raise ValueError('no space')"), tmp_path)


def test_a_search_of_which_no_trial_has_reported_has_failed(tmp_path):
    with pytest.raises(SearchFailedError, match="no trial has reported anything"):
        run(search("time.sleep(600)", minutes=0.02), tmp_path)


def test_a_search_that_solved_T_and_then_ended_by_itself_has_not_failed(tmp_path):
    assert run(search("note('a', 200, True)"), tmp_path).solved


def test_nothing_is_left_of_a_search_that_does_not_listen(tmp_path, monkeypatch):
    monkeypatch.setattr(race, "PATIENCE", 0.5)
    ours = tmp_path / "pids"
    code = (
        "import os, signal, subprocess; signal.signal(signal.SIGINT, signal.SIG_IGN); "
        "child = subprocess.Popen(['sleep', '600']); "
        f"open({str(ours)!r}, 'w').write(f'{{os.getpid()}} {{child.pid}}'); "
        "note('a', 100, True); time.sleep(600)"
    )
    assert run(search(code), tmp_path).solved
    pids = [int(pid) for pid in ours.read_text().split()]
    wait_for(lambda: not any(map(is_running, pids)))


def is_running(pid: int) -> bool:
    """Whether a process runs; one that has ended may still have an entry."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state not in "ZX"


@pytest.mark.parametrize("side", SIDES)
def test_every_side_is_told_the_same(side):
    points = [{"learning_rate": 0.003}]
    command = Search(side, ["--model", "lstm", "--seed", "4"], 1000, 2, 6, points).command(
        Path("x")
    )
    text = " ".join(command)
    assert "--model lstm --seed 4" in text
    assert "--T 1000" in text
    assert '[{"learning_rate": 0.003}]' in text
    if side in OTHERS:
        assert command[2] == f"benchmarks.baselines.{OTHERS[side][0]}"
        assert (race.ROOT / "benchmarks" / "baselines" / f"{OTHERS[side][0]}.py").exists()


def test_this_projects_search_notes_its_results(tmp_path, monkeypatch):
    monkeypatch.setitem(os.environ, results.FILE, str(tmp_path / "results"))
    follows = listener.RaceListener(SimpleNamespace())
    follows.trial_reported(SimpleNamespace(id="T1000-0000", tokens=400, tokens_to_solve=None))
    follows.trial_reported(SimpleNamespace(id="T1000-0000", tokens=800, tokens_to_solve=400))
    took = results.taken(tmp_path / "results", 0, float("inf"))
    assert (took.tokens, took.trials, took.solved) == (800, 1, True)
