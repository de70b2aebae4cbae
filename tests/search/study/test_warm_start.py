"""A study that starts with another one's winners."""

import shutil

import pytest
from made_studies import agenda_of, make_config, report, search, start

from search.errors import UserError
from search.execute.requested_study import requested_studies
from search.run import make_parser
from search.study.study import Study
from search.study.study_file import read_study_file
from search.study.warm_start import told, warm_points, warm_started
from studies import format as files


@pytest.fixture
def storage(tmp_path):
    """A study with three trials at T = 5, of which the second one solves it, and one at T = 9."""
    study = Study.create(tmp_path / "other", make_config(trials=3))
    study.begin_length(5, [])
    for number, (rate, accuracy) in enumerate([(1e-3, 0.5), (3e-3, 1.0), (9e-3, 0.7)]):
        start(study, f"T5-000{number}", learning_rate=rate, hidden_size=16)
        solved = {"tokens_to_solve": 70} if accuracy == 1 else {}
        report(study, f"T5-000{number}", 1, accuracy, files.COMPLETED, **solved)
    study.end_length(5, "trials")
    search(study, 9)
    study.close()
    return tmp_path


def test_the_best_of_the_same_T_or_of_the_nearest_smaller_one_come_first(storage):
    config = warm_started(make_config(T=[4, 5, 7, 9], carried_trials=2), "other", storage)
    best = [{"learning_rate": rate, "hidden_size": 16} for rate in (3e-3, 9e-3)]
    assert [(at.T, at.source, at.trials) for at in config.search.warm] == [
        (5, 5, ["T5-0001", "T5-0002"]), (7, 5, ["T5-0001", "T5-0002"]), (9, 9, ["T9-0000"])
    ]  # fmt: skip
    assert warm_points(config, 5) == warm_points(config, 7) == best
    assert warm_points(config, 4) == []
    assert told(config) == (
        "starts with configurations of other: 2 at T=5, 2 at T=7 (its T=5), 1 at T=9"
    )


def test_what_lies_outside_the_space_is_left_out_and_what_is_unknown_is_sampled(storage):
    config = make_config(T=[5])
    space = {
        "learning_rate": {"low": 5e-3, "high": 1e-2}, "batch_size": {"choices": [7, 8]},
        "clip_norm": 1.0,
    }  # fmt: skip
    narrow = config.model_copy(update={"space": space})
    with pytest.raises(UserError, match=r"^--warm-from other: it has no trial at these T"):
        warm_started(narrow, "other", storage)  # the other study has a batch size of 32
    narrow = config.model_copy(update={"space": {"learning_rate": space["learning_rate"]}})
    assert warm_points(warm_started(narrow, "other", storage), 5) == [{"learning_rate": 9e-3}]


@pytest.mark.parametrize("source", ["none", "other/../none", "~/none"])
def test_another_study_that_is_not_there_is_one_line(source, storage):
    with pytest.raises(UserError, match=f"^--warm-from {source}: ") as raised:
        warm_started(make_config(), source, storage)
    assert "\n" not in str(raised.value)


def test_the_new_study_tries_them_first_and_does_not_need_the_other_one_again(storage):
    words = ["--storage", str(storage), "--model", "gru", "--T", "5", "--name", "new"]
    words += ["--set", "training.precision=fp32", "--set", "search.carried_trials=2"]
    words += ["--set", "space={learning_rate: {low: 0.001, high: 0.01}}"]
    words += ["--set", "search.initial=[]"]
    words += ["--warm-from", str(storage / "other")]
    (new,) = requested_studies(make_parser().parse_args(words))
    study = Study.create(new.path, new.config)
    with agenda_of(study) as agenda:
        first = [agenda.next_trial(()) for _ in range(1)]
    assert [trial.training["learning_rate"] for trial in first] == [3e-3]
    study.close()
    recorded = read_study_file(new.path)["config"]["search"]
    assert recorded["warm_from"] == str(storage / "other")
    assert recorded["warm"][0]["trials"] == ["T5-0001", "T5-0002"]
    shutil.rmtree(storage / "other")
    (again,) = requested_studies(make_parser().parse_args([*words, "--resume"]))
    assert again.exists
    assert again.config.search.warm == new.config.search.warm
    study = Study.open(new.path)
    with agenda_of(study) as agenda:
        names = {trial.id: None for trial in study.history.trials.values()}
        second = agenda.next_trial(names)
    assert second.training["learning_rate"] == 9e-3
    study.close()
    with pytest.raises(UserError, match=r"^--warm-from: .* a study keeps the configurations"):
        requested_studies(make_parser().parse_args([*words[:-1], "elsewhere", "--resume"]))
