import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_studies import agenda_of, make_checkpoint, make_config, read, report, start

from copytask import MAX_SEED, Purpose, TrainingConfig, load_model
from copytask.training.checkpoint import load_state, save_state
from copytask.training.seeds import stream_seed
from search.console.formats import limit_reason
from search.console.search_more import search_more
from search.decide.agenda import Agenda
from search.decide.fresh_seeds import FOR_CONFIRMATIONS, FOR_RACES
from search.decide.model_tests import ModelTests
from search.decide.suggester import trial_seed
from search.errors import SearchFailedError
from search.execute.outcome import check_results
from search.execute.requested_study import requested_studies
from search.run import make_parser
from search.study.checkpoints import checkpoint_path
from search.study.listener import Listener
from search.study.records import TrialRecord
from search.study.resuming import restart_failed
from search.study.study import Study
from studies import format as files
from studies.columns import CONFIRM

FINAL = {"max_tokens": 3000, "stop_when_solved": False}


def make_study(tmp_path, **search) -> Study:
    config = make_config(T=(3, 5), trials=2, test_payloads=20, **search)
    return Study.create(tmp_path / "study", config.model_copy(update={"final": FINAL}))


def change(study: Study, **search) -> None:
    changed = study.config.search.model_copy(update=search)
    study.change_config(study.config.model_copy(update={"search": changed}))


def end(study: Study, agenda: Agenda, trial: TrialRecord, accuracy: float) -> None:
    """A trial ends with this accuracy; it has solved T if that is 1."""
    make_checkpoint(study, TrainingConfig.from_dict(trial.training), trial.id)
    solved = {"tokens_to_solve": 50} if accuracy == 1 else {}
    report(study, trial.id, 1, accuracy, files.COMPLETED, **solved)
    agenda.reported(trial)
    agenda.released(trial)
    agenda.advance()


def fail(study: Study, agenda: Agenda, trial: TrialRecord) -> None:
    study.fail_trial(trial.id, "training diverged")
    agenda.reported(trial)
    agenda.released(trial)
    agenda.advance()


def play(study: Study, agenda: Agenda, accuracies: dict[str, float]) -> list[str]:
    """Run one trial after the other to its end; returns their names."""
    names = []
    while not agenda.over:
        trial = agenda.next_trial(())
        names.append(trial.id)
        end(study, agenda, trial, accuracies.get(trial.id, 0.5))
    agenda.finish()
    return names


SEARCH = ["T3-0000", "T3-0001", "T5-0000", "T5-0001"]


def test_in_a_long_search_checkpoints_are_removed_now_and_then(tmp_path, monkeypatch):
    monkeypatch.setattr("search.decide.agenda.SWEEPS", 2)
    study = Study.create(tmp_path / "study", make_config(trials=5, test_payloads=20))
    left = []
    with agenda_of(study) as agenda:
        for accuracy in (0.1, 0.2, 0.3, 0.4):
            end(study, agenda, agenda.next_trial(()), accuracy)
            folders = (study.path / files.RAY_FOLDER / "T=5").iterdir()
            left.append(sorted(int(folder.name[-4:]) for folder in folders))
    assert left == [[0], [1], [1, 2], [3]]


def test_every_T_is_searched_in_turn_and_its_best_is_tested(tmp_path):
    study = make_study(tmp_path)
    with agenda_of(study) as agenda:
        assert play(study, agenda, {"T3-0001": 0.7}) == SEARCH
    assert [study.history.best[T].trial_id for T in (3, 5)] == ["T3-0001", "T5-0000"]
    assert not (study.path / files.RAY_FOLDER / "T=3").exists()
    assert load_model(study.path / study.history.best[3].checkpoint).core.hidden_size in (8, 16)


class Noting(Listener):
    """Notes the moments that it is told."""

    def __init__(self):
        self.moments = []

    def length_began(self, T, seconds):
        self.moments.append(f"{T} began")

    def length_ended(self, T):
        self.moments.append(f"{T} ended")

    def trainings_began(self):
        self.moments.append("trainings")

    def trial_ended(self, trial):
        self.moments.append(trial.id)

    def best_changed(self, T):
        self.moments.append(f"{T} best")

    def confirmed(self, trial):
        self.moments.append(f"{trial.id} confirmed")

    def study_ended(self):
        self.moments.append("study ended")


def test_a_listener_is_told_what_happens_in_its_order(tmp_path):
    study = make_study(tmp_path, confirm_seeds=1)
    noting = Noting()
    with agenda_of(study, None, noting) as agenda:
        play(study, agenda, {})
    tests = {"3 best", "5 best", "T3-confirm-00 confirmed", "T5-confirm-00 confirmed"}
    assert [moment for moment in noting.moments if moment not in tests] == [
        "3 began", "T3-0000", "T3-0001", "3 ended", "5 began", "T5-0000", "T5-0001", "5 ended",
        "trainings", "T3-confirm-00", "T5-confirm-00", "study ended",
    ]  # fmt: skip
    assert sorted(moment for moment in noting.moments if moment in tests) == sorted(tests)
    assert noting.moments[-1] == "study ended"


def test_at_the_limit_of_a_T_live_trials_are_cut_off_and_the_next_T_goes_on_at_once(tmp_path):
    study = make_study(tmp_path, solved_trials=1)
    output = io.StringIO()
    with agenda_of(study, output) as agenda:
        first = agenda.next_trial(())
        second = agenda.next_trial({first.id})
        assert agenda.next_trial({first.id, second.id}) is None
        end(study, agenda, first, 1.0)
        assert (second.ended, second.status) == (True, files.INTERRUPTED)
        assert agenda.next_trial({second.id}).id == "T5-0000"
        agenda.finish()
    assert study.history.lengths[3].limit == "solved_trials"
    assert "T=3: test " in output.getvalue()
    assert "by T3-0000; 1 trial solved it" in output.getvalue()


def test_finals_come_after_all_searches_side_by_side_and_win_if_they_solve_T(tmp_path):
    study = make_study(tmp_path, final=True)
    output = io.StringIO()
    with agenda_of(study, output) as agenda:
        for _ in SEARCH:
            end(study, agenda, agenda.next_trial(()), 0.5)
        finals = [agenda.next_trial(()), agenda.next_trial({"T3-final"})]
        assert [trial.id for trial in finals] == ["T3-final", "T5-final"]
        assert agenda.next_trial({"T3-final", "T5-final"}) is None
        assert not agenda.over
        end(study, agenda, finals[0], 1.0)
        end(study, agenda, finals[1], 0.9)
        assert agenda.over
        agenda.finish()
    same = {"learning_rate", "hidden_size", "curriculum_length", "batch_size", "seed"}
    winner = study.history.trials["T3-0000"].training
    assert all(finals[0].training[name] == winner[name] for name in same)
    assert {name: finals[0].training[name] for name in FINAL} == FINAL
    rows = read(study.path / files.BEST_FILE)
    assert [(row["trial_id"], row["stage"], row["trials"]) for row in rows] == [
        ("T3-final", "final", "2"), ("T5-0000", "search", "2")
    ]  # fmt: skip
    assert "T=5: T5-final has not solved it; T5-0000 stays the best" in output.getvalue()
    assert [row["stage"] for row in read(study.path / files.TRIALS_FILE)] == [
        *["search"] * 4, "final", "final"
    ]  # fmt: skip


def test_a_final_that_fails_leaves_the_best_of_the_search(tmp_path):
    study = make_study(tmp_path, final=True, confirm_seeds=1)
    with agenda_of(study) as agenda:
        for _ in SEARCH:
            end(study, agenda, agenda.next_trial(()), 0.5)
        final = agenda.next_trial(())
        report(study, final.id, 1, 1.0, tokens_to_solve=50)
        fail(study, agenda, final)
        assert study.history.winner(3).id == "T3-0000"
        assert play(study, agenda, {}) == ["T5-final", "T3-confirm-00", "T5-confirm-00"]


def test_the_winner_is_confirmed_by_fresh_seeds_on_payloads_of_their_own(tmp_path):
    study = make_study(tmp_path, final=True, confirm_seeds=2)
    with agenda_of(study) as agenda:
        names = play(study, agenda, {"T3-final": 1.0, "T3-confirm-00": 1.0})
    assert names[len(SEARCH) :] == [
        "T3-final", "T5-final", "T3-confirm-00", "T3-confirm-01", "T5-confirm-00", "T5-confirm-01"
    ]  # fmt: skip
    rows = read(study.path / files.CONFIRM_FILE)
    assert list(rows[0]) == list(CONFIRM.names)
    assert [row["confirms"] for row in rows] == ["T3-final"] * 2 + ["T5-0000"] * 2
    assert [row["tokens_to_solve"] for row in rows] == ["50", "", "", ""]
    assert all(0 <= float(row["accuracy_low"]) <= float(row["accuracy"]) for row in rows)
    confirmation, final = (
        dict(study.history.trials[name].training) for name in (names[6], names[4])
    )
    assert confirmation.pop("seed") == confirmation.pop("validation_seed")
    assert confirmation == {k: v for k, v in final.items() if k not in ("seed", "validation_seed")}
    seeds = [
        trial.training["seed"]
        for trial in study.history.trials.values()
        if trial.stage != files.FINAL
    ]
    assert len(set(seeds)) == len(seeds)


def test_a_confirmation_begins_while_finals_at_other_T_run(tmp_path):
    study = make_study(tmp_path, final=True, confirm_seeds=1)
    with agenda_of(study) as agenda:
        for _ in SEARCH:
            end(study, agenda, agenda.next_trial(()), 0.5)
        end(study, agenda, agenda.next_trial(()), 1.0)
        assert agenda.next_trial(()).id == "T5-final"
        assert agenda.next_trial({"T5-final"}).id == "T3-confirm-00"
        assert agenda.next_trial({"T5-final", "T3-confirm-00"}) is None


@pytest.mark.parametrize("more", [3, 5])
def test_more_seeds_are_that_many_more_and_what_was_confirmed_stays(tmp_path, more):
    study = make_study(tmp_path, confirm_seeds=2)
    with agenda_of(study) as agenda:
        play(study, agenda, {})
    before = read(study.path / files.CONFIRM_FILE)
    study.close()
    study = Study.open(study.path)
    with agenda_of(study) as agenda:
        assert agenda.over
    change(study, confirm_seeds=more)
    with agenda_of(study) as agenda:
        names = play(study, agenda, {})
    assert names == [f"T{T}-confirm-{k:02}" for T in (3, 5) for k in range(2, more)]
    rows = read(study.path / files.CONFIRM_FILE)
    assert [row for row in rows if row["trial_id"] not in names] == before
    assert len(rows) == 2 * more


def damage(path) -> None:
    """Cut the end of a checkpoint off."""
    file = path / "checkpoint.pt"
    file.write_bytes(file.read_bytes()[:-100])


def test_if_the_best_checkpoint_is_damaged_the_next_one_is_tested(tmp_path):
    study = make_study(tmp_path)
    with agenda_of(study) as agenda:
        trial = agenda.next_trial(())
        training = TrainingConfig.from_dict(trial.training)
        for iteration, accuracy in [(1, 0.7), (2, 0.8), (3, 0.6)]:
            path = make_checkpoint(study, training, trial.id, iteration)
            save_state(load_state(path) | {"label": iteration}, path)
            report(study, trial.id, iteration, accuracy, files.COMPLETED if iteration == 3 else "")
        damage(checkpoint_path(study.checkpoints.folder(trial), 2))
        agenda.released(trial)
        play(study, agenda, {"T3-0001": 0.1})
    assert study.history.best[3].trial_id == trial.id
    assert load_state(study.path / study.history.best[3].checkpoint)["label"] == 1
    assert study.history.complete


def test_a_winner_without_a_whole_checkpoint_is_skipped_with_a_word(tmp_path):
    study = make_study(tmp_path, confirm_seeds=1)
    output = io.StringIO()
    told = "T3-0000 cannot be tested: no intact checkpoint of it is left in"
    with agenda_of(study, output) as agenda:
        for _ in range(2):
            trial = agenda.next_trial(())
            make_checkpoint(study, TrainingConfig.from_dict(trial.training), trial.id)
            damage(checkpoint_path(study.checkpoints.folder(trial), 1))
            report(study, trial.id, 1, 0.9, files.COMPLETED)
            agenda.reported(trial)
            agenda.released(trial)
            agenda.advance()
        with pytest.raises(SearchFailedError, match=told):
            play(study, agenda, {})  # all the rest first
    assert output.getvalue().count(told) == 1
    assert list(study.history.best) == [5]
    assert [row["T"] for row in read(study.path / files.CONFIRM_FILE)] == ["3", "5"]
    change(study, final=True)
    with agenda_of(study, output) as agenda:  # another winner is tested
        play(study, agenda, {"T3-final": 1.0})
    assert study.history.best[3].trial_id == "T3-final"


def test_a_confirmation_without_a_whole_checkpoint_is_skipped_with_a_word(tmp_path):
    study = make_study(tmp_path, confirm_seeds=2)
    told = "T3-confirm-00 cannot be tested: no intact checkpoint of it is left in"
    with agenda_of(study) as agenda:
        for _ in SEARCH:
            end(study, agenda, agenda.next_trial(()), 1.0)
        trial = agenda.next_trial(())
        report(study, trial.id, 1, 0.9, files.COMPLETED)
        agenda.released(trial)
        with pytest.raises(SearchFailedError, match=told):
            play(study, agenda, {})
    rows = read(study.path / files.CONFIRM_FILE)
    assert [row["trial_id"] for row in rows] == ["T3-confirm-01", "T5-confirm-00", "T5-confirm-01"]
    study.close()
    study = Study.open(study.path)
    make_checkpoint(study, TrainingConfig.from_dict(trial.training), trial.id)  # put back
    with agenda_of(study) as agenda:
        play(study, agenda, {})
    assert len(read(study.path / files.CONFIRM_FILE)) == 4


def test_a_new_winner_is_confirmed_anew(tmp_path):
    study = make_study(tmp_path, confirm_seeds=1)
    with agenda_of(study) as agenda:
        play(study, agenda, {})
    change(study, final=True)
    with agenda_of(study) as agenda:
        names = play(study, agenda, {"T3-final": 1.0})
    assert names == ["T3-final", "T5-final", "T3-confirm-01"]
    confirms = [row["confirms"] for row in read(study.path / files.CONFIRM_FILE)]
    assert confirms == ["T3-0000", "T3-final", "T5-0000"]


def test_a_seed_that_fails_before_it_has_a_model_is_not_dropped(tmp_path):
    study = make_study(tmp_path, confirm_seeds=2)
    output = io.StringIO()
    with agenda_of(study, output) as agenda:
        for _ in SEARCH:
            end(study, agenda, agenda.next_trial(()), 1.0)
        fail(study, agenda, agenda.next_trial(()))
        play(study, agenda, {})
    first = read(study.path / files.CONFIRM_FILE)[0]
    assert (first["status"], first["accuracy"], first["error"]) == (
        "failed", "", "training diverged"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("limits", "accuracy", "advice"),
    [
        ({}, 0.5, "--trials 4"),
        ({"trials": 9, "solved_trials": 1}, 1.0, "--set search.solved_trials=2"),
        ({"trials": 9, "patience": 1}, 0.0, "--set search.patience=2"),
        ({"trials": 9, "budget_minutes": 1}, 0.5, "--budget-minutes 4"),
        ({"trials": 9, "budget_tokens": 150}, 0.5, "--budget-tokens 400"),
        ({"solved_trials": 2}, 1.0, "--set search.solved_trials=4 --trials 4"),
        ({"trials": 9, "solved_trials": 1, "budget_minutes": 1}, 1.0,
         "--set search.solved_trials=2 --budget-minutes 4"),
    ],
)  # fmt: skip
def test_a_search_that_is_over_says_which_limits_make_it_go_on_and_does(
    tmp_path, limits, accuracy, advice
):
    study = Study.create(
        tmp_path / "study", make_config(T=[3], test_payloads=20, **{"trials": 2, **limits})
    )
    with agenda_of(study) as agenda:
        while not agenda.over:
            trial = agenda.next_trial(())
            study.clock._before += 61  # as if it had taken so long
            end(study, agenda, trial, accuracy)
        agenda.finish()
    began = len(study.history.trials)
    study = reopened(study)
    output = io.StringIO()
    with agenda_of(study, output) as agenda:
        assert agenda.over
    command = output.getvalue().splitlines()[-1].strip()
    assert "search more at T=3, where " in output.getvalue()
    assert command.partition(" --resume ")[2] == advice
    parsed = make_parser().parse_args(command.split()[3:])
    ((_, config, _),) = requested_studies(parsed)
    study.change_config(config)
    study = reopened(study)
    with agenda_of(study) as agenda:
        assert agenda.next_trial(()).id == f"T3-{began:04}"
        assert study.history.lengths[3].limit == ""


def test_T_that_ended_alike_go_on_by_one_command(tmp_path):
    study = make_study(tmp_path, solved_trials=1)
    with agenda_of(study) as agenda:
        play(study, agenda, {"T3-0000": 1.0})
    more = dict(search_more(study.history, Path("runs/s")))
    assert more == {
        "search more at T=3, where enough trials have solved it":
        "python -m search.run --name s --resume --set search.solved_trials=2",
        "search more at T=5, where all trials have run":
        "python -m search.run --name s --resume --trials 4",
    }  # fmt: skip
    change(study, solved_trials=3)
    with agenda_of(study) as agenda:
        play(study, agenda, {})
    assert list(search_more(study.history, Path("runs/s"))) == [
        ("search more at T=3, 5, where all trials have run",
         "python -m search.run --name s --resume --trials 4"),
    ]  # fmt: skip


def test_a_search_that_goes_on_after_other_trainings_has_lost_no_time(tmp_path):
    study = make_study(tmp_path, confirm_seeds=1, budget_minutes=10)
    with agenda_of(study) as agenda:
        play(study, agenda, {})
    study.clock._before += 5000  # as if the confirmations had taken so long
    change(study, trials=3)
    with agenda_of(study) as agenda:
        assert 0 <= study.searched() < 60
        assert agenda.next_trial(()).id == "T3-0002"


def test_without_time_left_nothing_is_started_and_live_trials_are_cut_off(tmp_path):
    study = make_study(tmp_path, budget_minutes=1e-9)
    study.begin_length(3, [])
    start(study, "T3-0000", T=3)
    output = io.StringIO()
    with agenda_of(study, output) as agenda:
        agenda.advance()
        assert agenda.over
        agenda.finish()
    assert [study.history.lengths[T].limit for T in (3, 5)] == ["budget_minutes"] * 2
    assert not study.history.lengths[3].live
    assert "T=3: no result; its time is up" in output.getvalue()


def reopened(study: Study) -> Study:
    study.close()
    return Study.open(study.path)


def fail_at_3(study: Study, agenda: Agenda) -> None:
    for _ in range(2):
        fail(study, agenda, agenda.next_trial(()))


def test_if_all_trials_at_a_T_failed_the_next_T_is_searched_and_the_end_says_so(tmp_path):
    study = make_study(tmp_path)
    output = io.StringIO()
    with agenda_of(study, output) as agenda:
        fail_at_3(study, agenda)
        assert play(study, agenda, {}) == ["T5-0000", "T5-0001"]
    assert "T=3: no result; all 2 trials failed" in output.getvalue()
    said = r"all 2 trials at T=3 failed; the last error: training diverged\. .*: AGAIN --retry-f"
    with pytest.raises(SearchFailedError, match=said):
        check_results(study, "AGAIN")
    study = reopened(study)
    with agenda_of(study) as agenda:
        assert agenda.over
    assert list(search_more(study.history, Path("runs/s"))) == [
        ("run failed trials again",
         "python -m search.run --name s --resume --retry-failed"),
        ("search more at T=5, where all trials have run",
         "python -m search.run --name s --resume --trials 4"),
    ]  # fmt: skip


def test_the_only_trial_is_not_called_all_trials(tmp_path):
    study = make_study(tmp_path)
    change(study, trials=1)
    output = io.StringIO()
    with agenda_of(study, output) as agenda:
        fail(study, agenda, agenda.next_trial(()))
        assert play(study, agenda, {}) == ["T5-0000"]
    assert "T=3: no result; 1 trial failed" in output.getvalue()
    assert limit_reason(study.history, 5) == "1 trial has run"
    with pytest.raises(SearchFailedError, match=r"^1 trial at T=3 failed; the last error"):
        check_results(study, "AGAIN")


def test_a_trial_that_was_cut_off_without_a_result_hides_no_failure(tmp_path):
    """Patience ends a T at which all trials fail, while another one runs in the next slot."""
    study = make_study(tmp_path)
    change(study, patience=1)
    output = io.StringIO()
    with agenda_of(study, output) as agenda:
        first = agenda.next_trial(())
        second = agenda.next_trial({first.id})
        fail(study, agenda, first)
        assert second.status == files.INTERRUPTED
        play(study, agenda, {})
    assert "T=3: no result; 1 trial failed" in output.getvalue()
    with pytest.raises(SearchFailedError, match="1 trial at T=3 failed; the last error: training"):
        check_results(study, "AGAIN")


def test_a_trial_that_a_budget_cuts_off_might_have_succeeded(tmp_path):
    study = make_study(tmp_path)
    output = io.StringIO()
    with agenda_of(study, output) as agenda:
        first = agenda.next_trial(())
        agenda.next_trial({first.id})
        fail(study, agenda, first)
        study.end_length(3, "budget_minutes")
    assert limit_reason(study.history, 3) == "its time is up"
    assert not study.history.all_failed(3)


def test_a_trial_that_solved_T_and_then_failed_has_not_solved_it(tmp_path):
    study = make_study(tmp_path, solved_trials=1)
    change(study, trials=3)
    with agenda_of(study) as agenda:
        first = agenda.next_trial(())
        report(study, first.id, 1, 1.0, tokens_to_solve=50)
        fail(study, agenda, first)
        second = agenda.next_trial(())
        assert second.T == 3
        end(study, agenda, second, 1.0)
        length = study.history.lengths[3]
        assert (length.limit, length.solved) == ("solved_trials", 1)
        assert play(study, agenda, {}) == ["T5-0000", "T5-0001", "T5-0002"]
    study = reopened(study)
    restart_failed(study)
    assert study.history.lengths[3].solved == 1


def test_a_confirmation_is_tested_once(tmp_path):
    """All T are concluded when racing ends, also those whose tests still wait in the thread."""
    study = make_study(tmp_path, confirm_seeds=1)
    study.begin_length(3, [])
    start(study, "T3-0000", 3)
    trial = study.history.trials["T3-0000"]
    evaluator = Waiting()
    tests = ModelTests(study, evaluator, Listener())
    make_checkpoint(study, TrainingConfig.from_dict(trial.training), trial.id)
    report(study, trial.id, 1, 1.0, files.COMPLETED, tokens_to_solve=50)
    for _ in range(2):
        tests.test_confirmation(trial)
    assert evaluator.submitted == [trial.id]


class Waiting:
    """An evaluator whose tests never come to an end."""

    def __init__(self):
        self.submitted = []

    @property
    def trials(self):
        return set(self.submitted)

    def submit(self, test, then):
        self.submitted.append(test.trial_id)


def test_if_all_trials_at_every_T_failed_the_end_names_each(tmp_path):
    study = make_study(tmp_path)
    with agenda_of(study) as agenda:
        for _ in range(4):
            fail(study, agenda, agenda.next_trial(()))
        agenda.finish()
    with pytest.raises(
        SearchFailedError, match="all trials at T=3, 5 failed; the last error: training"
    ):
        check_results(study, "AGAIN")


@pytest.mark.parametrize("limit", [{}, {"solved_trials": 1}, {"budget_minutes": 1e-9}])
def test_failed_trials_run_again_after_the_search_whatever_ended_it(tmp_path, limit):
    study = make_study(tmp_path)
    with agenda_of(study) as agenda:
        fail(study, agenda, agenda.next_trial(()))
        play(study, agenda, {"T3-0001": 1.0, "T5-0001": 0.9})
    assert study.history.best[3].trial_id == "T3-0001"
    change(study, **limit)
    study = reopened(study)
    assert restart_failed(study) == "1 failed trial runs again: T3-0000"
    assert not study.history.complete
    study = reopened(study)  # as if it had been killed here
    output = io.StringIO()
    with agenda_of(study, output) as agenda:
        trial = agenda.next_trial(())
        assert (trial.id, len(trial.curve), trial.status) == ("T3-0000", 0, "interrupted")
        assert agenda.next_trial({"T3-0000"}) is None
        end(study, agenda, trial, 0.95)
        assert agenda.over
        agenda.finish()
    assert "failed trials again at each T" in output.getvalue()
    rows = read(study.path / files.TRIALS_FILE)
    assert [(row["status"], row["error"]) for row in rows] == [("completed", "")] * 4
    assert study.history.best[3].trial_id == "T3-0001"
    assert study.history.complete
    assert restart_failed(study) == "no trial has failed; there is nothing to run again"


def test_failed_trials_that_run_again_bring_a_result_to_their_T(tmp_path):
    study = make_study(tmp_path, confirm_seeds=1)
    with agenda_of(study) as agenda:
        fail_at_3(study, agenda)
        play(study, agenda, {})
    study = reopened(study)
    assert restart_failed(study) == "2 failed trials run again: T3-0000, T3-0001"
    with agenda_of(study) as agenda:
        # Who wins, and is confirmed, is known when both have ended.
        assert play(study, agenda, {"T3-0001": 0.7}) == ["T3-0000", "T3-0001", "T3-confirm-00"]
    check_results(study, "AGAIN")
    assert study.history.best[3].trial_id == "T3-0001"
    assert study.history.trials["T3-confirm-00"].confirms == "T3-0001"


def test_nobody_is_confirmed_while_a_failed_trial_that_runs_again_may_still_win(tmp_path):
    study = make_study(tmp_path, confirm_seeds=1)
    with agenda_of(study) as agenda:
        fail_at_3(study, agenda)
        play(study, agenda, {})
    study = reopened(study)
    restart_failed(study)
    with agenda_of(study) as agenda:
        first = agenda.next_trial(())
        second = agenda.next_trial({first.id})
        end(study, agenda, first, 0.5)
        assert agenda.next_trial({second.id}) is None
        end(study, agenda, second, 0.7)
        confirmation = agenda.next_trial(())
        assert (confirmation.id, confirmation.confirms) == ("T3-confirm-00", second.id)


def test_failed_trials_of_a_T_that_is_searched_go_on_with_it(tmp_path):
    study = make_study(tmp_path, patience=9)
    with agenda_of(study) as agenda:
        first = agenda.next_trial(())
        report(study, first.id, 1, 0.9, tokens_to_solve=50)
        fail(study, agenda, first)
    study = reopened(study)
    assert len(study.history.lengths[3].arrivals) == 1
    restart_failed(study)
    assert (study.history.lengths[3].solved, len(study.history.lengths[3].arrivals)) == (0, 0)
    with agenda_of(study) as agenda:
        assert play(study, agenda, {}) == SEARCH


def test_final_trainings_and_confirmations_that_failed_run_again(tmp_path):
    study = make_study(tmp_path, final=True, confirm_seeds=1)
    with agenda_of(study) as agenda:
        for _ in SEARCH:
            end(study, agenda, agenda.next_trial(()), 0.5)
        for name in ("T3-final", "T5-final", "T3-confirm-00"):
            trial = agenda.next_trial(())
            assert trial.id == name
            fail(study, agenda, trial)
        play(study, agenda, {})
    study = reopened(study)
    restart_failed(study)
    with agenda_of(study) as agenda:
        names = play(study, agenda, {"T3-final": 1.0})
    # The winner at T = 3 is another one now: it has a seed of its own.
    assert names == ["T3-final", "T3-confirm-00", "T5-final", "T3-confirm-01"]
    assert study.history.best[3].trial_id == "T3-final"
    accuracies = [row["accuracy"] for row in read(study.path / files.CONFIRM_FILE)]
    assert len(accuracies) == 3
    assert all(accuracies)


@given(st.integers(0, 2**20), st.integers(1, 10**6), *[st.integers(0, 10**6)] * 3)
def test_search_races_and_confirmations_at_a_T_never_share_a_seed(seed, T, number, raced, fresh):
    numbers = (number, FOR_RACES + raced, FOR_CONFIRMATIONS + fresh)
    assert len({trial_seed(seed, T, number) for number in numbers}) == 3


@given(st.integers(0, MAX_SEED), st.integers(0, MAX_SEED), st.sampled_from(list(Purpose)))
def test_payloads_of_a_confirmation_are_no_others(seed, other, purpose):
    same = (seed, Purpose.CONFIRMATION) == (other, purpose)
    assert (stream_seed(seed, Purpose.CONFIRMATION) == stream_seed(other, purpose)) == same


def test_a_trial_can_be_stopped_while_a_smaller_length_is_searched_on(tmp_path):
    study = make_study(tmp_path)
    with agenda_of(study) as agenda:
        for _ in range(2):
            end(study, agenda, agenda.next_trial(()), 0.5)
        waiting = agenda.next_trial(())
        report(study, waiting.id, 1, 0.5)
    change(study, trials=3)
    with agenda_of(study) as agenda:
        assert agenda.next_trial(()).id == "T3-0002"
        agenda.stop(waiting, running=False)
        assert waiting.ended
        end(study, agenda, study.history.trials["T3-0002"], 0.5)
        assert agenda.next_trial(()).id == "T5-0001"
