import random

import pytest
import yaml
from made_studies import make_config, report, start
from points import point

from search.decide.agenda import first_configurations
from search.storage.csv_tables import read_rows
from search.study.overview import look
from search.study.ranking import RANKINGS, Ranking, ranked
from search.study.records import TrialRecord
from search.study.study import Study
from studies import format as files

TRIALS = [  # name, validation accuracy, tokens to solve
    ("late", 1.0, 300), ("lucky", 1.0, 200), ("soon", 0.991, 100), ("close", 0.999, None),
    ("far", 0.5, None),
]  # fmt: skip


@pytest.fixture
def study(tmp_path):
    study = Study.create(tmp_path / "study", make_config(carried_trials=2))
    for name, accuracy, tokens in TRIALS:
        start(study, name, learning_rate=accuracy / 100)
        report(study, name, 1, accuracy, tokens_to_solve=tokens)
    start(study, "failed")
    report(study, "failed", 1, 1.0, tokens_to_solve=1)
    study.fail_trial("failed", "why")
    start(study, "without a result")
    return study


def names(trials) -> list[str]:
    return [trial.id for trial in trials]


def test_who_solves_with_the_fewest_tokens_is_first_then_accuracy_decides(study):
    assert names(study.history.ranked(5)) == ["soon", "lucky", "late", "close", "far"]
    assert study.history.winner(5).id == "soon"
    assert study.history.lengths[5].solved == 3  # without the one that failed
    assert study.history.ranked(9) == []
    assert study.history.winner(9) is None


def test_of_equal_tokens_the_more_accurate_is_first_and_of_equal_ones_the_earlier(study):
    for name, accuracy in [("a", 0.995), ("b", 0.995), ("c", 0.998)]:
        start(study, name)
        report(study, name, 1, accuracy, tokens_to_solve=100)
    assert names(study.history.ranked(5))[:4] == ["c", "a", "b", "soon"]


def test_by_accuracy_tokens_to_solve_decide_between_equal_ones(study):
    trials = study.history.lengths[5].trials
    expected = ["lucky", "late", "close", "soon", "far"]
    assert names(ranked(trials, "accuracy")) == expected


def changed(trial: TrialRecord, chance: random.Random) -> None:
    """A trial reports, fails or starts again."""
    what = chance.random()
    if what < 0.1:
        trial.status = files.FAILED
    elif what < 0.2:
        trial.restart()
    else:
        solved = 100 * chance.randint(1, 3) if chance.random() < 0.3 else None
        accuracy = chance.choice([0.5, 0.9, 1.0])
        trial.add(point(len(trial.curve) + 1, accuracy, tokens_to_solve=solved))


@pytest.mark.parametrize("by", RANKINGS)
def test_a_ranking_that_is_kept_is_that_of_all_trials_after_every_change(by):
    chance = random.Random(0)
    trials = [TrialRecord(str(number), 5, {}, number=number) for number in range(200)]
    ranking = Ranking(by)
    for many in (200, *(chance.choice([0, 1, 2, 20]) for _ in range(100))):
        for trial in chance.sample(trials, many):
            changed(trial, chance)
            ranking.note(trial)
        assert names(ranking.trials()) == names(ranked(trials, by))
        assert names(ranking.solvers()) == [t.id for t in ranked(trials, by) if t.solved]


def test_after_one_result_a_ranking_looks_at_few_trials_only(study, monkeypatch):
    for number in range(200):
        start(study, f"more {number}")
        report(study, f"more {number}", 1, number / 200)
    assert len(study.history.ranked(5)) == 205
    seen = []
    place = RANKINGS["tokens_to_solve"]
    monkeypatch.setitem(
        RANKINGS, "tokens_to_solve", lambda trial: seen.append(trial) or place(trial)
    )
    assert study.history.ranked(5)[0].id == "soon"
    assert not seen
    report(study, "more 50", 2, 1.0, tokens_to_solve=50)
    assert study.history.ranked(5)[0].id == study.history.winner(5).id == "more 50"
    assert len(seen) < 25


def test_the_first_ones_are_carried_to_the_next_T(study):
    assert [point["learning_rate"] for point in first_configurations(study, 9)] == [0.00991, 0.01]


def test_the_tables_say_the_rank_of_each_trial_that_has_one(study):
    study.write()
    ranks = {row["trial_id"]: row["rank"] for row in read_rows(study.path / files.TRIALS_FILE)}
    assert ranks == {
        "soon": 1, "lucky": 2, "late": 3, "close": 4, "far": 5, "failed": None,
        "without a result": None,
    }  # fmt: skip


def test_a_study_of_an_earlier_version_keeps_its_winner(study):
    """Its study.yaml says nothing of how trials are ranked: by accuracy."""
    study.close()
    document = yaml.safe_load((study.path / files.STUDY_FILE).read_text())
    del document["config"]["search"]["rank_by"]
    (study.path / files.STUDY_FILE).write_text(yaml.safe_dump(document))
    assert look(study.path).history.winner(5).id == "lucky"
    resumed = Study.open(study.path)
    assert resumed.history.winner(5).id == "lucky"
    resumed.change_config(resumed.config.model_copy(update={"T": [5, 9, 12]}))
    resumed.close()
    assert look(study.path).history.winner(5).id == "lucky"


def test_a_look_while_a_result_is_added_does_not_lose_it(study, monkeypatch):
    def look_first(trial, *point):
        study.history.ranked(5)
        add(trial, *point)

    add = TrialRecord.add
    monkeypatch.setattr(TrialRecord, "add", look_first)
    start(study, "new")
    report(study, "new", 1, 1.0, tokens_to_solve=50)
    assert names(study.history.ranked(5))[0] == "new"
