import io

import pytest
import yaml
from made_studies import agenda_of, make_checkpoint, make_config, read, report
from rich.console import Console

from copytask import TrainingConfig, load_model
from search.console.search_more import search_more
from search.console.tables import best_table
from search.study.records import TrialRecord
from search.study.resuming import restart_failed
from search.study.study import Study
from studies import format as files

SEARCH = {"trials": 3, "test_payloads": 20, "race_seeds": 2, "confirm_seeds": 1}
FIRST = ["T3-0000", "T3-0001", "T3-0002", "T5-0000", "T5-0001", "T5-0002"]
SOLVE = {"T3-0001": 70, "T3-0002": 60, "T5-0000": 80}
"""Trials of the search that solve their T, and with how many tokens: T3-0002 is the first."""


def make_study(tmp_path, **search) -> Study:
    config = make_config(T=(3, 5), **{**SEARCH, **search})
    final = {"max_tokens": 3000, "stop_when_solved": False}
    return Study.create(tmp_path / "study", config.model_copy(update={"final": final}))


def end(study: Study, agenda, trial: TrialRecord, tokens_to_solve: int | None = None) -> None:
    """A trial ends; it has solved T if there are tokens."""
    make_checkpoint(study, TrainingConfig.from_dict(trial.training), trial.id)
    solved = {"tokens_to_solve": tokens_to_solve} if tokens_to_solve else {}
    report(study, trial.id, 1, 0.995 if solved else 0.5, files.COMPLETED, **solved)
    agenda.reported(trial)
    agenda.released(trial)
    agenda.advance()


def play(study: Study, agenda, solve=SOLVE, until: str = "") -> list[str]:
    """Run one trial after the other, up to the one named; returns their names."""
    names: list[str] = []
    agenda.advance()
    while not agenda.over:
        trial = agenda.next_trial(())
        if trial.id == until:
            return names
        names.append(trial.id)
        end(study, agenda, trial, solve.get(trial.id))
    agenda.finish()
    return names


def reopened(study: Study, **search) -> Study:
    study.close()
    study = Study.open(study.path)
    changed = study.config.search.model_copy(update=search)
    study.change_config(study.config.model_copy(update={"search": changed}))
    return study


def confirmed(study: Study) -> dict[str, str]:
    return {row["T"]: row["confirms"] for row in read(study.path / files.CONFIRM_FILE)}


def test_who_solves_T_with_every_fresh_seed_wins_and_is_confirmed_with_others(tmp_path):
    study = make_study(tmp_path)
    solve = {**SOLVE, "T5-race-00": 80, "T3-race-00": 70, "T5-race-01": 90, "T3-race-01": 65}
    output = io.StringIO()
    with agenda_of(study, output) as agenda:
        names = play(study, agenda, solve)
    races = ["T5-race-00", "T5-race-01", "T3-race-00", "T3-race-01"]
    assert names == [*FIRST, *races, "T3-confirm-00", "T5-confirm-00"]
    assert confirmed(study) == {"3": "T3-0002", "5": "T5-0000"}
    trials = study.history.trials
    assert {trials[name].confirms for name in races} == {"T3-0002", "T5-0000"}
    rows = read(study.path / files.BEST_FILE)
    assert [(row["trial_id"], row["race_solved"], row["race_seeds"]) for row in rows] == [
        ("T3-0002", "2", "2"), ("T5-0000", "2", "2")
    ]  # fmt: skip
    assert load_model(study.path / rows[0]["checkpoint"]).core.hidden_size in (8, 16)
    assert not (study.path / files.RAY_FOLDER / "T=3").exists()
    told = output.getvalue()
    assert "racing: the best at each T train with 2 fresh seeds" in told
    assert "T=3: T3-0002 wins the race, 2 of 2 fresh seeds solve it" in told


def test_races_draw_data_that_nothing_else_draws(tmp_path):
    study = make_study(tmp_path)
    solve = {**SOLVE, "T5-race-00": 80, "T5-race-01": 80, "T3-race-00": 80, "T3-race-01": 80}
    with agenda_of(study) as agenda:
        play(study, agenda, solve)
    trials = list(study.history.trials.values())
    seeds = [trial.training["seed"] for trial in trials]
    assert len(set(seeds)) == len(seeds)
    validation = [trial.training["validation_seed"] for trial in trials]
    fresh = [trial for trial in trials if trial.stage != files.SEARCH]
    assert set(validation[: len(FIRST)]) == {0}
    assert [trial.training["validation_seed"] for trial in fresh] == seeds[len(FIRST) :]
    for trial in fresh:
        repeated = study.history.trials[trial.confirms].training
        same = set(repeated) - {"seed", "validation_seed"}
        assert all(trial.training[name] == repeated[name] for name in same)


def test_who_fails_once_is_out_and_the_next_one_races(tmp_path):
    study = make_study(tmp_path, final=True)
    solve = {**SOLVE, **dict.fromkeys(["T3-race-01", "T3-race-02", "T5-race-00", "T5-race-01"], 90)}
    with agenda_of(study) as agenda:
        names = play(study, agenda, solve)
    assert names[len(FIRST) :] == [
        "T5-race-00", "T5-race-01", "T3-race-00", "T3-race-01", "T3-race-02", "T3-final",
        "T5-final", "T3-confirm-00", "T5-confirm-00",
    ]  # fmt: skip
    trials = study.history.trials
    raced = [trials[f"T3-race-0{k}"].confirms for k in range(3)]
    assert raced == ["T3-0002", "T3-0001", "T3-0001"]
    assert study.history.best[3].trial_id == "T3-0001"
    assert trials["T3-final"].training["seed"] == trials["T3-0001"].training["seed"]
    assert confirmed(study)["3"] == "T3-0001"
    assert [row["race_seeds"] for row in read(study.path / files.BEST_FILE)] == ["2", "2"]


def test_if_nobody_holds_the_best_record_wins(tmp_path):
    study = make_study(tmp_path)
    output = io.StringIO()
    solve = {**SOLVE, "T3-race-01": 90, "T5-race-00": 90, "T5-race-01": 90}
    with agenda_of(study, output) as agenda:
        play(study, agenda, solve)
    assert study.history.best[3].trial_id == "T3-0001"
    assert "T=3: T3-0001 has the best record, 1 of 2 fresh seeds solve it" in output.getvalue()
    assert study.history.complete


def test_a_T_that_nobody_solved_is_not_raced(tmp_path):
    study = make_study(tmp_path)
    with agenda_of(study) as agenda:
        assert play(study, agenda, {}) == [*FIRST, "T3-confirm-00", "T5-confirm-00"]
    assert not study.history.racing
    assert [row["race_seeds"] for row in read(study.path / files.BEST_FILE)] == ["", ""]


def test_where_slots_are_free_a_T_has_several_trainings_and_the_rest_is_cut_off(tmp_path):
    study = make_study(tmp_path, race_seeds=3)
    with agenda_of(study) as agenda:
        play(study, agenda, until="T5-race-00")
        running = {"T5-race-00"}
        while trial := agenda.next_trial(running):
            running.add(trial.id)
        assert running == {f"T{T}-race-0{k}" for T in (3, 5) for k in range(3)}
        trials = study.history.trials
        end(study, agenda, trials["T3-race-01"])  # who races here is out
        assert [trials[f"T3-race-0{k}"].ended for k in range(3)] == [True] * 3
        assert trials["T3-race-00"].status == files.INTERRUPTED
        agenda.released(trials["T3-race-00"])
        following = agenda.next_trial(running)
        assert (following.id, following.confirms) == ("T3-race-03", "T3-0001")
    study = reopened(study)
    with agenda_of(study) as agenda:
        unfinished = {"T3-race-03", "T5-race-00", "T5-race-01", "T5-race-02"}
        found: set[str] = set()
        while (trial := agenda.next_trial(found)) and trial.id in unfinished:
            found.add(trial.id)
        assert found == unfinished


def test_finals_and_confirmations_begin_where_the_race_is_over(tmp_path):
    study = make_study(tmp_path)
    solve = {**SOLVE, "T5-race-00": 80, "T5-race-01": 80}
    with agenda_of(study) as agenda:
        play(study, agenda, solve, until="T3-race-00")
        assert agenda.next_trial({"T3-race-00"}).id == "T3-race-01"
        trial = agenda.next_trial({"T3-race-00", "T3-race-01"})
        assert trial.id == "T5-confirm-00"


def test_without_time_left_the_best_record_wins_and_more_time_lets_them_race_on(tmp_path):
    study = make_study(tmp_path, budget_minutes=10)
    output = io.StringIO()
    with agenda_of(study, output) as agenda:
        play(study, agenda, SOLVE, until="T3-race-00")  # the only candidate at 5 is out
        trial = study.history.trials["T3-race-00"]
        study.clock._before += 600
        agenda.advance()
        assert trial.ended
        agenda.released(trial)
        assert play(study, agenda, {}) == ["T3-confirm-00", "T5-confirm-00"]
    told = "T=3: T3-0002 stays the best; its time is up before a fresh seed has told"
    assert told in output.getvalue()
    assert study.history.race_was_cut_off
    assert study.history.complete
    study.clock._before += 5000  # as if the confirmations had taken so long
    study = reopened(study)
    with agenda_of(study) as agenda:
        assert agenda.over
    more = dict(search_more(study.history, study.path))
    assert more["race on at T=3, where the time is up"].endswith("--budget-minutes 22")
    study = reopened(study, budget_minutes=22)
    with agenda_of(study) as agenda:
        assert 0 < study.searched() < 22 * 60
        names = play(study, agenda, {"T3-race-01": 70, "T3-race-02": 70})
    assert names == ["T3-race-01", "T3-race-02"]
    assert study.history.best[3].trial_id == "T3-0002"


def test_without_tokens_left_a_race_ends_and_more_tokens_let_them_race_on(tmp_path):
    study = make_study(tmp_path, budget_tokens=800)
    output = io.StringIO()
    with agenda_of(study, output) as agenda:
        play(study, agenda, SOLVE)
    assert study.history.race_was_cut_off
    assert study.history.race_limit == "budget_tokens"
    assert "its tokens are spent" in output.getvalue()
    assert study.history.tokens == 800
    more = dict(search_more(study.history, study.path))
    (command,) = (text for what, text in more.items() if what.startswith("race on at "))
    assert " --resume --budget-tokens " in command
    study = reopened(study, budget_tokens=int(command.split()[-1]))
    with agenda_of(study) as agenda:
        names = play(study, agenda, SOLVE)
    assert any("-race-" in name for name in names)
    assert not study.history.race_was_cut_off


@pytest.mark.usefixtures("only_what_is_said_takes_time")
def test_the_search_leaves_time_for_the_races_and_they_count_into_the_budget(tmp_path):
    study = make_study(tmp_path, budget_minutes=10)
    with agenda_of(study) as agenda:
        trial = agenda.next_trial(())
        study.clock._before += 440
        end(study, agenda, trial, 80)
        assert agenda.next_trial(()).T == 5
        study.clock._before += 10  # three quarters of it
        agenda.advance()
        assert [study.history.lengths[T].limit for T in (3, 5)] == ["budget_minutes"] * 2
        end(study, agenda, agenda.next_trial(()), 80)
        study.clock._before += 60
        end(study, agenda, agenda.next_trial(()), 80)
        assert 510 <= study.history.search_seconds < 520
        assert not study.history.racing


@pytest.mark.parametrize("decided", [False, True])
def test_a_failed_training_of_a_race_runs_again_unless_the_race_is_decided(tmp_path, decided):
    study = make_study(tmp_path, confirm_seeds=0)
    solve = {**SOLVE, "T5-race-00": 80, "T5-race-01": 80}
    with agenda_of(study) as agenda:
        play(study, agenda, solve, until="T3-race-00")
        trial = study.history.trials["T3-race-00"]
        study.fail_trial(trial.id, "worker lost")
        agenda.released(trial)
        others = {"T3-race-01": 70, "T3-race-02": 70}
        play(study, agenda, others, until="" if decided else "T3-race-02")
    study = reopened(study)
    told = restart_failed(study)
    if decided:
        assert study.history.best[3].trial_id == "T3-0001"
        assert told == "no trial has failed; there is nothing to run again"
        return
    with agenda_of(study) as agenda:
        names = play(study, agenda, {"T3-race-00": 70, "T3-race-02": 70, "T3-race-03": 70})
    assert names == ["T3-race-00", "T3-race-02", "T3-race-03"]
    assert study.history.best[3].trial_id == "T3-0002"


def test_a_failed_training_that_runs_again_after_its_race_was_cut_off_may_change_the_winner(
    tmp_path,
):
    study = make_study(tmp_path, confirm_seeds=0, budget_minutes=10)
    with agenda_of(study) as agenda:
        play(study, agenda, until="T3-race-00")
        study.fail_trial("T3-race-00", "worker lost")
        agenda.released(study.history.trials["T3-race-00"])
        play(study, agenda, {"T3-race-01": 70}, until="T3-race-02")
        study.clock._before += 600
        agenda.advance()
        agenda.released(study.history.trials["T3-race-02"])
        agenda.finish()
    assert study.history.best[3].trial_id == "T3-0001"
    study = reopened(study)
    assert restart_failed(study) == "1 failed trial runs again: T3-race-00"
    with agenda_of(study) as agenda:
        assert play(study, agenda, {"T3-race-00": 70}) == ["T3-race-00"]
    assert study.history.best[3].trial_id == "T3-0002"
    assert study.history.complete


def test_a_search_that_goes_on_races_new_candidates(tmp_path):
    study = make_study(tmp_path, confirm_seeds=0, solved_trials=9)
    with agenda_of(study) as agenda:
        play(study, agenda)  # nobody holds
    assert study.history.best[3].trial_id == "T3-0002"
    study = reopened(study, trials=4)
    holds = {"T3-0003": 50, "T3-race-02": 55, "T3-race-03": 55}
    with agenda_of(study) as agenda:
        assert play(study, agenda, holds) == ["T3-0003", "T5-0003", "T3-race-02", "T3-race-03"]
    assert study.history.best[3].trial_id == "T3-0003"
    assert study.history.complete


@pytest.mark.parametrize("cut_off", [False, True])
def test_who_wins_again_after_a_new_candidate_is_out_still_has_its_model(tmp_path, cut_off):
    study = make_study(tmp_path, confirm_seeds=0, solved_trials=9, budget_minutes=10)
    with agenda_of(study) as agenda:
        play(study, agenda, {**SOLVE, "T3-race-01": 90})  # T3-0001 holds once, and nobody twice
    kept = study.path / study.history.best[3].checkpoint / "checkpoint.pt"
    model = kept.read_bytes()
    study = reopened(study, trials=4)
    with agenda_of(study) as agenda:
        play(study, agenda, {"T3-0003": 50}, until="T3-race-03" if cut_off else "")
        if cut_off:
            study.clock._before += 600
            agenda.advance()
            agenda.finish()
    if cut_off:
        assert study.history.best[3].trial_id == "T3-0003"
        study = reopened(study, budget_minutes=100)
        with agenda_of(study) as agenda:
            play(study, agenda, {})
    assert study.history.best[3].trial_id == "T3-0001"
    assert kept.read_bytes() == model
    assert study.history.complete


def test_a_T_beyond_the_list_is_raced_like_the_others(tmp_path):
    study = make_study(tmp_path, trials=1, race_seeds=1, confirm_seeds=0, reach=1000)
    searched = {f"T{T}-0000": 10 * T for T in (3, 5, 10)}
    raced = {f"T{T}-race-00": 10 * T for T in (3, 10)}
    with agenda_of(study) as agenda:
        names = play(study, agenda, searched | raced)
    races = [f"T{T}-race-00" for T in (10, 5, 3)]
    assert names == [*searched, "T20-0000", *races]
    assert study.history.complete


def test_a_study_of_an_earlier_version_is_resumed_without_a_race(tmp_path):
    """Its study.yaml has no key of races, and says nothing of how trials are ranked."""
    study = make_study(tmp_path, race_seeds=0, rank_by="accuracy")
    with agenda_of(study) as agenda:
        play(study, agenda)
    best = read(study.path / files.BEST_FILE)
    study.close()
    document = yaml.safe_load((study.path / files.STUDY_FILE).read_text())
    for key in ("race_seeds", "race_candidates", "rank_by"):
        del document["config"]["search"][key]
    (study.path / files.STUDY_FILE).write_text(yaml.safe_dump(document))
    study = Study.open(study.path)
    with agenda_of(study) as agenda:
        assert agenda.over
        agenda.finish()
    assert read(study.path / files.BEST_FILE) == best


def test_how_far_the_races_are(tmp_path):
    study = make_study(tmp_path, budget_minutes=100)
    with agenda_of(study) as agenda:
        play(study, agenda, until="T5-race-00")
        assert agenda.progress()[1:] == (0.0, pytest.approx(6000, abs=60))
        training = study.history.trials["T5-race-00"]
        report(study, training.id, 1, 0.5, tokens=40)  # of the 80 that its candidate took
        assert agenda.progress().fraction == pytest.approx((0.5 / 2 + 0) / 2)
        report(study, training.id, 2, 1.0, files.COMPLETED, tokens=80, tokens_to_solve=80)
        agenda.released(training)
        assert agenda.progress().fraction == pytest.approx(0.25)


def test_the_table_of_the_best_says_how_many_seeds_held(tmp_path):
    study = make_study(tmp_path)
    solve = {**SOLVE, "T3-race-00": 70, "T3-race-01": 65}
    with agenda_of(study) as agenda:
        play(study, agenda, solve)
    console = Console(file=io.StringIO(), width=80)
    console.print(best_table(study.history, "Best trial of each T"))
    lines = console.file.getvalue().splitlines()
    assert "race" in lines[1]
    assert "2 of 2" in next(line for line in lines if "T3-0002" in line)
    assert "0 of 1" in next(line for line in lines if "T5-0000" in line)
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("when", ["begins", "has one training", "is decided"])
def test_a_study_that_is_killed_in_a_race_races_on(tmp_path, when):
    study = make_study(tmp_path, confirm_seeds=0)
    solve = {**SOLVE, **dict.fromkeys([f"T{T}-race-0{k}" for T in (3, 5) for k in (0, 1)], 90)}
    until = {"begins": "T5-race-00", "has one training": "T5-race-01", "is decided": "T3-race-00"}
    with agenda_of(study) as agenda:
        play(study, agenda, solve, until=until[when])
    study = reopened(study)
    with agenda_of(study) as agenda:
        play(study, agenda, solve)
    assert list(study.history.trials) == [
        *FIRST, "T5-race-00", "T5-race-01", "T3-race-00", "T3-race-01"
    ]  # fmt: skip
    assert study.history.complete
