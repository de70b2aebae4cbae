"""What a search does before its first trial, without Ray."""

import time
from unittest.mock import Mock

import pytest

from search.cluster.slots import Slots
from search.config.study_config import StudyConfig
from search.execute import launch
from search.execute.requested_study import RequestedStudy
from search.study.study import Study

STARTING, MEASURING = 60.0, 10.0
"""Seconds that Ray takes to start, and the precision of a new study to be measured."""


class SlowCluster:
    """A cluster whose start takes time on this clock."""

    started_here = True
    slots = Slots(0, 2)

    def __init__(self, now: list[float]):
        self._now = now

    def __enter__(self) -> "SlowCluster":
        self._now[0] += STARTING
        return self

    def __exit__(self, *exception: object) -> None:
        pass


@pytest.mark.parametrize(
    ("earlier", "new", "expected"),
    [
        ("a", "", [60.0]),
        ("", "a", [0.0]),
        ("ab", "", [30.0, 30.0]),
        ("abcd", "", [15.0, 15.0, 15.0, 15.0]),
        ("a", "b", [35.0, 0.0]),
        ("", "ab", [5.0, 0.0]),
    ],
)
def test_studies_share_the_time_of_the_start_up(tmp_path, monkeypatch, earlier, new, expected):
    now, used = [1000.0], []

    def measure(config: StudyConfig) -> str:
        now[0] += MEASURING
        return "fp32"

    def search(shown, *arguments) -> bool:
        used.extend(run.study.elapsed() for run, _ in shown)
        return True

    config = StudyConfig(model="gru", T=[3])
    for name in earlier:
        Study.create(tmp_path / name, config).close()
    requests = [RequestedStudy(tmp_path / name, config, name in earlier) for name in earlier + new]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(StudyConfig, "measure_precision", measure)
    monkeypatch.setattr(launch, "Cluster", lambda *arguments: SlowCluster(now))
    monkeypatch.setattr(launch, "Interrupts", Mock)
    monkeypatch.setattr(launch, "search", search)
    launch.launch(requests, None, "COMMAND", retry_failed=False, quiet=True)
    assert used == expected
