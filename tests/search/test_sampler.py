import optuna
import pytest
from optuna.trial import TrialState

from search.config import StudyConfig
from search.sampler import OptunaSearcher, trial_seed
from study_format import COMPLETED, FAILED


def make_config(**search) -> StudyConfig:
    return StudyConfig(
        model="gru",
        T=[5],
        space={
            "learning_rate": {"low": 1e-4, "high": 1e-2, "log": True},
            "hidden_size": {"choices": [8, 16]},
            "curriculum_length": 10,
        },
        search=search,
    )


def make_searcher(tmp_path, config=None, initial=(), max_concurrent=100) -> OptunaSearcher:
    return OptunaSearcher(
        config or make_config(), 5, tmp_path / "optuna.journal", initial, max_concurrent
    )


def load(tmp_path) -> list[optuna.trial.FrozenTrial]:
    backend = optuna.storages.journal.JournalFileBackend(str(tmp_path / "optuna.journal"))
    storage = optuna.storages.JournalStorage(backend)
    return optuna.load_study(study_name="T=5", storage=storage).trials


def result(iteration: int, accuracy: float, done=False, status="") -> dict:
    return {
        "training_iteration": iteration, "ladder_accuracy": accuracy, "done": done, "status": status
    }  # fmt: skip


def hyperparameters(suggestion: dict) -> tuple:
    training = suggestion["training"]
    return training["learning_rate"], training["hidden_size"]


def test_every_ending_reaches_optuna_as_what_it_is(tmp_path):
    searcher = make_searcher(tmp_path)
    for trial in "abcdef":
        searcher.suggest(trial)
        searcher.on_trial_result(trial, result(1, 0.1))
    searcher.on_trial_complete("a", result(2, 0.9, done=True, status=COMPLETED))
    searcher.on_trial_complete("b", result(2, 0.2, done=True))  # ASHA
    searcher.on_trial_complete("c", result(2, 0.0, done=True, status=FAILED))
    searcher.on_trial_complete("d", error=True)
    searcher.on_trial_complete("e", result(1, 0.1))  # cut off with the search
    searcher.abandon_live_trials()  # f
    trials = load(tmp_path)
    assert [t.state for t in trials] == [
        TrialState.COMPLETE, TrialState.PRUNED, *[TrialState.FAIL] * 4
    ]  # fmt: skip
    assert trials[0].value == 0.9
    assert trials[1].intermediate_values == {1: 0.1, 2: 0.2}  # the rung's own value as well


def test_initial_points_come_first_verbatim(tmp_path):
    points = [{"learning_rate": 0.0031, "hidden_size": 16}, {"learning_rate": 0.0007}]
    searcher = make_searcher(tmp_path, initial=points)
    assert hyperparameters(searcher.suggest("a")) == (0.0031, 16)
    assert hyperparameters(searcher.suggest("b"))[0] == 0.0007


def test_no_more_than_the_cap_are_live(tmp_path):
    searcher = make_searcher(tmp_path, max_concurrent=2)
    assert searcher.suggest("a")
    assert searcher.suggest("b")
    assert searcher.suggest("c") is None
    searcher.on_trial_complete("a", result(1, 0.5, done=True, status=COMPLETED))
    assert searcher.suggest("c")


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_a_restored_searcher_suggests_what_the_first_would_have(tmp_path, sampler):
    config = make_config(sampler=sampler, startup_trials=2)

    def run(searcher, names):
        suggested = []
        for name in names:
            suggested.append(hyperparameters(searcher.suggest(name)))
            score = result(1, suggested[-1][0], done=True, status=COMPLETED)
            searcher.on_trial_complete(name, score)
        return suggested

    (tmp_path / "whole").mkdir()
    whole = run(make_searcher(tmp_path / "whole", config), "abcdefgh")
    assert len(set(whole)) == 8

    first = make_searcher(tmp_path, config)
    begun = run(first, "abcd")
    first.save(str(tmp_path / "state"))
    second = make_searcher(tmp_path, config)
    second.restore(str(tmp_path / "state"))
    assert begun + run(second, "efgh") == whole


def test_live_trials_go_on_after_a_restore_and_unknown_ones_are_closed(tmp_path):
    first = make_searcher(tmp_path)
    first.suggest("a")
    first.on_trial_result("a", result(1, 0.1))
    first.save(str(tmp_path / "state"))
    first.suggest("after the snapshot")
    second = make_searcher(tmp_path)
    second.restore(str(tmp_path / "state"))
    second.on_trial_result("a", result(2, 0.2))
    second.on_trial_complete("a", result(3, 0.3, done=True, status=COMPLETED))
    known, unknown = load(tmp_path)
    assert (known.state, known.intermediate_values) == (
        TrialState.COMPLETE, {1: 0.1, 2: 0.2, 3: 0.3}
    )  # fmt: skip
    assert unknown.state == TrialState.FAIL


def test_trials_have_seeds_of_their_own(tmp_path):
    searcher = make_searcher(tmp_path)
    seeds = [searcher.suggest(name)["training"]["seed"] for name in "abc"]
    assert len(set(seeds)) == 3
    assert trial_seed(0, 100, 1) != trial_seed(1, 100, 1) != trial_seed(1, 200, 1)
