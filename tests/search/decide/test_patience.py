import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_studies import make_config, report, start

from benchmarks.replay.policies import memory_study
from search.study.history import MIN_GAIN
from search.study.limits import reached_limit
from studies import format as files


class Search:
    """A search at T = 5 of which only the events are told."""

    def __init__(self, **search):
        self.study = memory_study(make_config(trials=99, **search))
        self.length = self.study.history.lengths[5]

    def reached_limit(self) -> str:
        return reached_limit(self.study.history, 5)

    def begin(self) -> str:
        name = str(len(self.study.history.trials))
        start(self.study, name)
        return name

    def end(self, *values: float) -> None:
        """A trial ends after these values of the ladder accuracy."""
        name = self.begin()
        for iteration, value in enumerate(values, start=1):
            status = files.STOPPED_EARLY if iteration == len(values) else ""
            report(self.study, name, iteration, 0.5, status, ladder_accuracy=value)

    def fail(self) -> None:
        name = self.begin()
        report(self.study, name, 1, 0.5, ladder_accuracy=1.0)
        self.study.fail_trial(name, "why")


def test_so_many_trials_in_a_row_without_a_gain_end_the_search():
    search = Search(patience=3)
    for value in (0.5, 0.4, 0.3, 0.6, 0.6, 0.604):
        search.end(value)
        assert search.reached_limit() == ""
    search.end(0.2)
    assert search.reached_limit() == "patience"


def test_a_value_counts_at_its_best_and_small_gains_count_once_they_add_up():
    search = Search(patience=2)
    search.end(0.5)
    search.end(0.7, 0.1)
    assert (search.length.best_value, search.length.stale) == (0.7, 0)
    search.end(0.704)
    search.end(0.708)
    assert (search.length.best_value, search.length.stale) == (0.708, 0)


def test_a_failed_trial_is_no_gain():
    search = Search(patience=2)
    search.end(0.5)
    search.fail()
    search.fail()
    assert search.reached_limit() == "patience"


def test_a_running_trial_that_is_ahead_of_all_is_waited_for():
    search = Search(patience=1)
    search.end(0.5)
    ahead, behind = search.begin(), search.begin()
    report(search.study, ahead, 1, 0.5, ladder_accuracy=0.6)
    report(search.study, behind, 1, 0.5, ladder_accuracy=0.3)
    search.end(0.4)
    assert search.reached_limit() == ""
    report(search.study, ahead, 2, 0.5, ladder_accuracy=0.45)
    assert search.reached_limit() == "patience"


def test_without_patience_the_search_goes_on():
    search = Search()
    for _ in range(50):
        search.end(0.1)
    assert search.reached_limit() == ""


@given(st.lists(st.integers(0, 100), min_size=1, max_size=40), st.integers(1, 8))
def test_the_criterion_is_what_it_says(percents, patience):
    search = Search(patience=patience)
    best, since = -1.0, 0
    for percent in percents:
        value = percent / 100
        search.end(value)
        best, since = (value, 0) if value > best + MIN_GAIN else (best, since + 1)
        assert search.reached_limit() == ("patience" if since >= patience else "")


@pytest.mark.parametrize(("metric", "stale"), [("accuracy", 2), ("ladder_accuracy", 0)])
def test_it_looks_at_the_metric_of_the_search(metric, stale):
    search = Search(patience=9, metric=metric)
    for value in (0.1, 0.2, 0.3):
        search.end(value)  # accuracy at T stays at 0.5
    assert search.length.stale == stale
