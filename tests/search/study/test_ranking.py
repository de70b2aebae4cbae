import pytest
import yaml
from made_studies import make_config, report, start

from search.decide.agenda import first_configurations
from search.storage.csv_tables import read_rows
from search.study.overview import look
from search.study.ranking import ranked
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
    assert study.history.lengths[5].solved == 4  # a failed one counts for the limit
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
