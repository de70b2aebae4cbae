import pytest
from made_studies import make_config, report, start

from search.decide.budget import LengthProgress, share_of_budget
from search.study.reach import reach_rows
from search.study.study import Study
from studies import format as files

pytestmark = pytest.mark.usefixtures("only_what_is_said_takes_time")


def make_study(tmp_path, **search) -> Study:
    return Study.create(tmp_path / "study", make_config(**search))


def test_time_is_shared_among_the_lengths_that_are_left():
    assert share_of_budget(1000, []) == 1.0
    shares = [share_of_budget(100, [200, 500, 1000]), share_of_budget(500, [1000])]
    assert shares == pytest.approx([0.183, 0.457], abs=1e-3)


def test_an_interruption_does_not_move_the_deadline(tmp_path):
    study = make_study(tmp_path, budget_minutes=10)
    study.begin_length(5, [])
    deadline = LengthProgress(study, 5).deadline
    assert 0 < deadline < 600
    study.clock._before += 30
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


def test_a_length_does_not_pay_for_a_smaller_one_whose_limit_was_raised(tmp_path):
    study = make_study(tmp_path, T=(5, 9, 17), budget_minutes=10, budget_tokens=10_000)
    study.begin_length(5, [])
    start(study, "a")
    report(study, "a", 1, 0.5, files.STOPPED_EARLY, tokens=1000)
    study.clock._before += 20
    study.end_length(5, "trials")
    study.begin_length(9, [])
    start(study, "b", T=9)
    report(study, "b", 1, 0.5, tokens=2000)
    study.clock._before += 100
    study.begin_length(5, [])
    assert study.searched() == 120
    start(study, "c")
    report(study, "c", 1, 0.5, files.STOPPED_EARLY, tokens=700)
    study.clock._before += 30
    study.end_length(5, "trials")
    progress, share = LengthProgress(study, 9), share_of_budget(9, [17])
    assert progress.deadline == pytest.approx(50 + (600 - 50) * share)
    assert progress.most_tokens == pytest.approx(1700 + (10_000 - 1700) * share)
    assert [row["seconds"] for row in reach_rows(study.history)] == [50, 100, 0]


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


def test_tokens_are_shared_among_the_lengths_and_leave_a_quarter_to_the_races(tmp_path):
    study = make_study(tmp_path, budget_tokens=10_000, race_seeds=1, trials=99)
    study.begin_length(5, [])
    progress = LengthProgress(study, 5)
    share = share_of_budget(5, [9])
    assert progress.most_tokens == pytest.approx(7500 * share)
    assert progress.deadline == pytest.approx(570 * 0.75 * share)  # both budgets hold
    start(study, "a")
    report(study, "a", 1, 0.5, tokens=3000)
    assert progress.reached_limit() == ""
    assert progress.now().fraction == pytest.approx(3000 / (7500 * share) / 2)
    report(study, "a", 2, 0.5, tokens=3600)
    assert progress.reached_limit() == "budget_tokens"
    study.end_length(5, "budget_tokens")
    assert study.history.is_over(5)
    study.begin_length(9, [])
    assert LengthProgress(study, 9).most_tokens == 7500  # what the first T left goes to this one


def test_tokens_are_counted_over_an_interruption_and_a_new_start_of_a_trial(tmp_path):
    study = make_study(tmp_path, budget_tokens=10_000)
    study.begin_length(5, [])
    start(study, "a")
    report(study, "a", 1, 0.5, tokens=1000)
    report(study, "a", 2, 0.5, tokens=2000)
    study.fail_trial("a", "a mistake")
    study.restart_trial(study.history.trials["a"])
    report(study, "a", 1, 0.5, tokens=1000)
    study.close()
    assert Study.open(study.path).history.tokens == 3000


def test_a_raised_budget_of_tokens_continues_a_length(tmp_path):
    study = make_study(tmp_path, T=[5], budget_tokens=2000)
    study.begin_length(5, [])
    start(study, "a")
    report(study, "a", 1, 0.5, tokens=2000)
    study.end_length(5, LengthProgress(study, 5).reached_limit())
    assert study.history.complete is False  # its best trial is to be tested
    assert study.history.is_over(5)
    search = study.config.search.model_copy(update={"budget_tokens": 2001})
    study.change_config(study.config.model_copy(update={"search": search}))
    assert not study.history.is_over(5)
