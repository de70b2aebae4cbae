import io

import pytest
from rich.console import Console
from studies import make_config, report, start

import study_format as files
from search.cluster import Cluster
from search.config import ResourcesConfig
from search.display import Display
from search.errors import SearchFailedError
from search.interrupt import Interrupts
from search.optuna_journal import open_journal
from search.runner import LengthProgress, keep_best, search_length, share_of_time
from search.study import Study


def make_study(tmp_path, **search) -> Study:
    return Study.create(tmp_path / "study", make_config(**search))


def test_time_is_shared_among_the_lengths_that_are_left():
    assert share_of_time(1000, []) == 1.0
    shares = [share_of_time(100, [200, 500, 1000]), share_of_time(500, [1000])]
    assert shares == pytest.approx([0.183, 0.457], abs=1e-3)


def test_an_interruption_does_not_move_the_deadline(tmp_path):
    study = make_study(tmp_path, budget_minutes=10)
    study.begin_length(5, [])
    deadline = LengthProgress(study, 5).deadline
    assert 0 < deadline < 600
    start(study, "a")
    study.close()
    study = Study.open(study.path)
    assert LengthProgress(study, 5).deadline == deadline
    search = study.config.search.model_copy(update={"budget_minutes": 20})
    study.change_config(study.config.model_copy(update={"search": search}))
    assert LengthProgress(study, 5).deadline == pytest.approx(2 * deadline, rel=1e-3)


def test_a_length_gets_the_time_that_those_before_it_left_over(tmp_path):
    study = make_study(tmp_path, budget_minutes=10)
    study.begin_length(5, [])
    study.end_length(5, "solved_trials")
    study.begin_length(9, [])
    assert LengthProgress(study, 9).deadline == 600


def test_what_is_done_grows_with_trials_solves_and_time(tmp_path):
    study = make_study(tmp_path, trials=4, solved_trials=2, budget_minutes=None)
    study.begin_length(5, [])
    progress = LengthProgress(study, 5)
    assert progress.now()[1:] == (0.0, float("inf"))
    start(study, "a")
    report(study, "a", 1, 0.5, files.STOPPED_EARLY)
    assert progress.now()[1] == pytest.approx(0.125)
    start(study, "b")
    report(study, "b", 1, 1.0, files.COMPLETED, tokens_to_solve=1)
    assert progress.now()[1] == pytest.approx(0.25)
    study.end_length(5, "trials")
    assert progress.now()[1] == 0.5


def test_without_time_left_nothing_is_started_and_live_trials_are_cut_off(tmp_path):
    study = make_study(tmp_path, budget_minutes=1e-9)
    study.begin_length(5, [])
    start(study, "T5-0000")
    output = io.StringIO()
    display = Display(study, Console(file=output))
    journal = open_journal(study.path / files.OPTUNA_FILE)
    search_length(study, 5, journal, Cluster(None, ResourcesConfig()), display, Interrupts())
    assert study.is_over(5)
    assert study.lengths[5].limit == "budget_minutes"
    assert not study.lengths[5].live
    assert [t.state.name for t in journal.get_all_trials(0)] == ["FAIL"]
    assert "T=5: no result; its time is over" in output.getvalue()


def test_if_all_trials_failed_the_search_says_why_the_last_one_did(tmp_path):
    study = make_study(tmp_path)
    for name in ("a", "b"):
        start(study, name)
        study.fail_trial(name, f"why {name} failed")
    with pytest.raises(SearchFailedError, match="all 2 trials at T=5 failed; the last: why b"):
        keep_best(study, 5)
