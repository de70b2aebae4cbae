"""Whose turn it is, and whose time it is."""

from types import SimpleNamespace

import pytest

from search.execute.study_run import in_turn, share_time


class FakeRun:
    """A study with so many running trials, and the time that it has used."""

    def __init__(self, running: int, seconds: float = 0.0, over: bool = False):
        self.running = dict.fromkeys(range(running), 0.0)
        self.over = over
        self.share = None
        clock = SimpleNamespace(run_at=lambda share: setattr(self, "share", share))
        self.study = SimpleNamespace(elapsed=lambda: seconds, clock=clock)


def test_the_fewest_running_trials_come_first_then_the_least_time_then_the_command():
    busy, late, early, same = FakeRun(2, 1.0), FakeRun(1, 9.0), FakeRun(1, 3.0), FakeRun(1, 3.0)
    assert in_turn([busy, late, early, same]) == [early, same, late, busy]


def test_a_study_with_nothing_left_has_no_turn():
    over, waiting = FakeRun(0, over=True), FakeRun(3)
    assert in_turn([over, waiting]) == [waiting]


@pytest.mark.parametrize(
    ("runs", "shares"),
    [
        ([FakeRun(0)], [1.0]),
        ([FakeRun(5)], [1.0]),
        ([FakeRun(1), FakeRun(3), FakeRun(0)], [0.25, 0.75, 0.0]),
        ([FakeRun(0), FakeRun(0, over=True), FakeRun(0)], [0.5, 0.0, 0.5]),
        ([FakeRun(0, over=True)], [None]),  # what follows is tests: the clock runs on as it did
    ],
)
def test_clocks_run_in_proportion_to_the_slots_and_together_as_fast_as_the_wall(runs, shares):
    share_time(runs)
    assert [run.share for run in runs] == shares
