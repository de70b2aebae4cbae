import time

import pytest

from search.study.clock import Clock


@pytest.fixture
def wall(monkeypatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_a_clock_runs_on_from_the_earlier_runs_as_the_one_on_the_wall(wall):
    clock = Clock(before=60.0)
    wall[0] += 5
    assert clock.seconds() == 65.0


def test_a_share_counts_from_when_it_was_set(wall):
    clock = Clock(before=0.0)
    seen = []
    for share in (0.25, 0.0, 1.0):
        clock.run_at(share)
        wall[0] += 8
        clock.run_at(share)  # to say it again changes nothing
        seen.append(clock.seconds())
    assert seen == [2.0, 2.0, 10.0]
