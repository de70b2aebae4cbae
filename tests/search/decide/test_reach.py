"""Beyond the list of T: doubled as long as it is solved."""

import io

import pytest
from made_studies import agenda_of, make_checkpoint, make_config, read, report, start

from copytask import TrainingConfig
from search.console.how_far import how_far
from search.console.search_more import search_more
from search.decide.agenda import Agenda
from search.decide.budget import LengthProgress, share_of_budget
from search.execute.outcome import check_results
from search.study.resuming import restart_failed
from search.study.study import Study
from studies import format as files

FINAL = {"max_tokens": 3000, "stop_when_solved": False}


pytestmark = pytest.mark.usefixtures("only_what_is_said_takes_time")


def make_study(tmp_path, **search) -> Study:
    config = make_config(T=(3, 5), **{"trials": 2, "test_payloads": 20, "reach": 1000, **search})
    return Study.create(tmp_path / "study", config.model_copy(update={"final": FINAL}))


def reopened(study: Study) -> Study:
    study.close()
    return Study.open(study.path)


def change(study: Study, **search) -> None:
    changed = study.config.search.model_copy(update=search)
    study.change_config(study.config.model_copy(update={"search": changed}))


def play(study: Study, agenda: Agenda, solvable: int, seconds: float = 0.0) -> list[str]:
    """Run one trial after the other to its end; T up to ``solvable`` are solved."""
    names = []
    while not agenda.over:
        trial = agenda.next_trial(())
        names.append(trial.id)
        make_checkpoint(study, TrainingConfig.from_dict(trial.training), trial.id)
        solved = {"tokens_to_solve": 10 * trial.T, "seconds_to_solve": seconds}
        accuracy = float(solvable >= trial.T)
        study.clock._before += seconds  # as if it had taken so long
        more = solved if accuracy else {}
        report(study, trial.id, 1, accuracy, files.COMPLETED, recalled_bits=3.0, **more)
        agenda.reported(trial)
        agenda.released(trial)
        agenda.advance()
    agenda.finish()
    return names


def fail(study: Study, agenda: Agenda, trial) -> None:
    study.fail_trial(trial.id, "RuntimeError: no memory")
    agenda.reported(trial)
    agenda.released(trial)
    agenda.advance()


def test_T_doubles_beyond_the_list_until_one_is_not_solved(tmp_path):
    study = make_study(tmp_path)
    output = io.StringIO()
    with agenda_of(study, output) as agenda:
        names = play(study, agenda, solvable=19)
    assert names == [f"T{T}-{n:04}" for T in (3, 5, 10, 20) for n in (0, 1)]
    assert sorted(study.history.best) == [3, 5, 10, 20]
    assert study.history.complete
    assert "T=5 is solved, on to T=10: 2 trials" in output.getvalue()
    assert how_far(study.history)[0].startswith("Reach: solves T=10 (T10-0000: 0.0 M tokens in")
    assert how_far(study.history)[1].startswith("Reach: not T=20: all 2 trials have run (whole")


def test_a_T_beyond_the_list_starts_from_the_best_configurations_of_the_one_before(tmp_path):
    study = make_study(tmp_path, carried_trials=1)
    with agenda_of(study) as agenda:
        play(study, agenda, solvable=5)
    names = study.config.dimensions()
    best = study.history.ranked(5)[0].hyperparameters
    first = study.history.lengths[10].trials[0].hyperparameters
    assert {name: first[name] for name in names} == {name: best[name] for name in names}


def test_a_trial_beyond_the_list_has_as_many_steps_as_at_its_last_T(tmp_path):
    config = make_config(T=(3, 5))
    values = {"learning_rate": 1e-3, "hidden_size": 8}
    five, forty = (config.training_config(T, values, seed=7) for T in (5, 40))
    assert (five.max_tokens, five.tokens_per_iteration) == (1000, 100)
    assert (forty.max_tokens, forty.tokens_per_iteration) == (8000, 800)
    final = config.model_copy(update={"final": FINAL}).final_training(forty.to_dict())
    assert final.max_tokens == 24000
    assert (config.stall_minutes(3), config.stall_minutes(40)) == (15, 120)
    searched = config.model_copy(update={"space": {"max_tokens": {"low": 100, "high": 900}}})
    assert searched.training_config(40, {"max_tokens": 300}, seed=7).max_tokens == 300


@pytest.mark.parametrize(
    ("reach", "solvable", "last"), [(0, 99, 5), (9, 99, 5), (10, 99, 10), (39, 99, 20), (99, 4, 5)]
)
def test_it_ends_at_its_limit_and_never_begins_where_the_list_is_not_solved(
    tmp_path, reach, solvable, last
):
    study = make_study(tmp_path, reach=reach)
    with agenda_of(study) as agenda:
        play(study, agenda, solvable)
    assert study.history.last == last
    assert study.history.complete


def test_reach_csv_has_what_each_T_took(tmp_path):
    study = make_study(tmp_path)
    with agenda_of(study) as agenda:
        play(study, agenda, solvable=10, seconds=7)
    rows = {row["T"]: row for row in read(study.path / files.REACH_FILE)}
    assert list(rows) == ["3", "5", "10", "20"]
    solved, failed = rows["10"], rows["20"]
    assert (solved["solved"], solved["trials"], solved["limit"]) == ("2", "2", "solved_trials")
    assert (solved["tokens_to_solve"], solved["seconds_to_solve"]) == ("100", "7.0")
    assert float(solved["seconds"]) == 14
    assert (failed["solved"], failed["tokens_to_solve"], failed["limit"]) == ("0", "", "trials")
    tokens = sum(trial.tokens for trial in study.history.lengths[20].trials)
    assert failed["tokens"] == str(tokens)
    assert failed["best_trial"] == study.history.winner(20).id
    assert float(failed["recalled_bits"]) == study.history.best[20].recalled_bits


def test_without_reach_there_is_no_reach_csv(tmp_path):
    study = make_study(tmp_path, reach=0)
    with agenda_of(study) as agenda:
        play(study, agenda, solvable=99)
    assert not (study.path / files.REACH_FILE).exists()


def test_a_finished_study_goes_on_beyond_its_list_when_it_is_resumed(tmp_path):
    study = make_study(tmp_path, reach=0, budget_minutes=None)
    with agenda_of(study) as agenda:
        play(study, agenda, solvable=10)
    what, command = next(search_more(study.history, study.path))
    assert what == "search beyond T=5, which is solved"
    assert command.endswith(" --resume --reach")
    study = reopened(study)
    change(study, reach=1000)
    assert not study.history.complete
    with agenda_of(study) as agenda:
        assert play(study, agenda, solvable=10)[0] == "T10-0000"
    study = reopened(study)
    assert study.history.last == 20
    assert study.history.complete
    assert "search beyond" not in str(list(search_more(study.history, study.path)))


def test_a_T_that_was_begun_is_searched_to_its_end_when_reach_is_turned_off(tmp_path):
    study = make_study(tmp_path)
    with agenda_of(study) as agenda:
        while study.history.last < 10:
            play_one(study, agenda)
    study = reopened(study)
    change(study, reach=0)
    with agenda_of(study) as agenda:
        assert play(study, agenda, solvable=99) == ["T10-0000", "T10-0001"]


def play_one(study: Study, agenda: Agenda) -> None:
    trial = agenda.next_trial(())
    make_checkpoint(study, TrainingConfig.from_dict(trial.training), trial.id)
    report(study, trial.id, 1, 1.0, files.COMPLETED, tokens_to_solve=5)
    agenda.reported(trial)
    agenda.released(trial)
    agenda.advance()


def test_it_begins_no_T_for_which_too_little_time_is_left(tmp_path):
    study = make_study(tmp_path, budget_minutes=1)
    with agenda_of(study) as agenda:  # 14 s a T, and 7 s to solve one
        play(study, agenda, solvable=999, seconds=7)
    assert study.history.last == 20
    assert study.history.complete
    assert how_far(study.history)[-1] == "Reach: no budget is left for T=40; no T has failed"
    what, command = next(search_more(study.history, study.path))
    assert (what, command.split("--resume ")[1]) == (
        "search beyond T=20, which is solved", "--budget-minutes 2"
    )  # fmt: skip


def test_it_begins_no_T_for_which_too_few_tokens_are_left(tmp_path):
    study = make_study(tmp_path, budget_tokens=450)
    with agenda_of(study) as agenda:  # a trial has 100 tokens and solves T in 99 of them
        play(study, agenda, solvable=999)
    assert study.history.tokens == 100 * len(study.history.trials)
    assert study.history.complete
    assert how_far(study.history)[-1].startswith("Reach: no budget is left for T=")
    _, command = next(search_more(study.history, study.path))
    assert command.endswith("--budget-tokens 900")


def test_a_T_may_take_all_the_time_until_it_is_solved_and_then_leaves_a_share(tmp_path):
    study = make_study(tmp_path, budget_minutes=10)
    study.begin_length(3, [])
    study.end_length(3, "trials")
    study.begin_length(5, [])
    progress = LengthProgress(study, 5)
    assert progress.deadline == 600
    start(study, "a")
    report(study, "a", 1, 1.0, files.COMPLETED, tokens_to_solve=5)
    assert progress.deadline == pytest.approx(600 * share_of_budget(5, [10]), rel=0.01)


def test_a_T_at_which_trials_fail_before_they_are_evaluated_ends_the_reach(tmp_path):
    study = make_study(tmp_path, trials=9, solved_trials=1)
    with agenda_of(study) as agenda:
        while study.history.last < 10:
            play_one(study, agenda)
        running = agenda.next_trial(())
        for _ in range(3):
            fail(study, agenda, agenda.next_trial({running.id}))
        assert agenda.next_trial({running.id}) is None  # no new one, but this may still succeed
        assert not agenda.over
        fail(study, agenda, running)
        assert agenda.over
        agenda.finish()
    check_results(
        study, "AGAIN"
    )  # the T of the list have results: that is no failure of the search
    assert study.history.lengths[10].limit == "reach"
    assert how_far(study.history)[1:] == [
        "Reach: not T=10: all 4 trials failed (whole search 0.0 M tokens in 00:00)",
        "  RuntimeError: no memory",
    ]
    row = read(study.path / files.REACH_FILE)[-1]
    assert (row["limit"], row["error"]) == ("reach", "RuntimeError: no memory")
    study = reopened(study)
    assert study.history.complete
    restart_failed(study)
    with agenda_of(study) as agenda:  # there is more memory now
        names = play(study, agenda, solvable=10)
    assert names[:4] == [f"T10-{n:04}" for n in range(4)]
    assert names[4:] == [f"T20-{n:04}" for n in range(9)]


def test_T_beyond_the_list_that_are_not_solved_are_not_confirmed(tmp_path):
    study = make_study(tmp_path, confirm_seeds=1)
    with agenda_of(study) as agenda:
        names = play(study, agenda, solvable=10)
    confirmed = [name for name in names if "confirm" in name]
    assert confirmed == ["T3-confirm-00", "T5-confirm-00", "T10-confirm-00"]
