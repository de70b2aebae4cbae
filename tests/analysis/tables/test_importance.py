from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from study_files import trial, write_study

from analysis import load_studies
from analysis.tables.comparison import compare_studies
from analysis.tables.importance import IMPORTANCE, hyperparameter_importance, search_space
from studies import format as files


def searched(count: int, T: int = 100) -> list[dict[str, Any]]:
    """Trials of which the hidden size alone decides, at another level for each T."""
    rng = np.random.default_rng(T)
    return [
        trial(
            T,
            number,
            learning_rate=float(10 ** rng.uniform(-4, -2)),
            hidden_size=int(rng.choice([64, 128])),
            curriculum_length=int(rng.integers(100, 1000)),
        )
        for number in range(count)
    ]


def scored(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        row | {"ladder_accuracy": 0.3 + 0.5 * (row["hidden_size"] == 128) - row["T"] / 1000}
        for row in rows
    ]


def importance(runs: Path) -> pd.DataFrame:
    studies = load_studies([runs])
    return hyperparameter_importance(studies, compare_studies(studies))


def test_the_hyperparameter_that_decides_is_found_over_all_lengths(runs: Path) -> None:
    write_study(runs, "a", trials=scored(searched(30) + searched(30, 200)))
    found = importance(runs)
    assert list(found) == list(IMPORTANCE.names)
    assert set(found["trials"]) == {60}
    of = found.set_index("hyperparameter")
    assert set(of.index) == {"learning_rate", "hidden_size", "curriculum_length"}
    assert of["importance"].idxmax() == "hidden_size"
    assert set(of["target"]) == {"ladder_accuracy"}
    assert of["noise"].nunique() == 1  # of the largest of all three
    assert of.loc["hidden_size", "p_value"] < 0.01
    assert of.loc["curriculum_length", "p_value"] > 0.05
    assert of.loc["hidden_size", "importance"] > 2 * of.loc["hidden_size", "noise"]
    assert of.loc["learning_rate", "importance"] < of.loc["hidden_size", "importance"] / 2


def with_forget_bias(runs: Path, name: str, choices: list[Any], tried: list[Any]) -> None:
    """A study in which the forget bias decides: the first one that was tried is the best."""
    rows = [row | {"forget_bias": tried[i % len(tried)]} for i, row in enumerate(searched(60))]
    for row in rows:
        row["ladder_accuracy"] = 0.9 if row["forget_bias"] == tried[0] else 0.3
    path = write_study(runs, name, trials=rows, extra=["forget_bias"]) / files.STUDY_FILE
    document = yaml.safe_load(path.read_text())
    document["config"]["space"]["forget_bias"] = {"choices": choices}
    path.write_text(yaml.safe_dump(document))


@pytest.mark.parametrize(
    ("choices", "tried"),
    [
        ([1.0, "chrono", "uniform"], ["1.0", "chrono", "uniform"]),
        ([1, 2, "chrono"], ["1.0", "2.0"]),
        ([1, 2], ["1", "2"]),
        ([True, False], ["True", "False"]),
        (["1e0", "chrono"], ["1.0", "chrono"]),  # YAML reads 1e0 as text
    ],
)
def test_choices_may_be_numbers_and_words(choices: list[Any], tried: list[str], runs: Path) -> None:
    """A forget bias is a number or the name of a start."""
    with_forget_bias(runs, "a", choices, tried)
    with_forget_bias(runs, "b", [0.5, 1.5], ["0.5", "1.5"])
    for _, found in importance(runs).groupby("study"):
        of = found.set_index("hyperparameter")
        assert of["importance"].idxmax() == "forget_bias"
        assert of.loc["forget_bias", "p_value"] < 0.01


def test_few_trials_tell_nothing(runs: Path) -> None:
    cut = [row | {"status": files.INTERRUPTED} for row in scored(searched(5, 200))]
    write_study(runs, "a", trials=scored(searched(19)) + cut)
    assert importance(runs).empty


def test_given_configurations_do_not_count(runs: Path) -> None:
    folder = write_study(runs, "a", T=[100], trials=scored(searched(24)))
    events = (folder / files.EVENTS_FILE).read_text()
    for given, counted in ((4, {20}), (5, set())):
        points = ",".join(['{"hidden_size":64}'] * given)
        text = events.replace('"initial":[]', f'"initial":[{points}]')
        (folder / files.EVENTS_FILE).write_text(text)
        assert set(importance(runs)["trials"]) == counted


def test_a_hyperparameter_with_a_condition_is_left_out_and_not_the_trials_without_it() -> None:
    space = {
        "hidden_size": {"choices": [64, 128]},
        "forget_bias": {"choices": [0.0, 1.0], "when": {"gates": "refined"}},
    }
    trials = pd.DataFrame({"hidden_size": [64, 128], "forget_bias": [np.nan, 1.0]})
    assert set(search_space(space, trials)) == {"hidden_size"}


def test_without_events_it_is_not_known_what_was_sampled(runs: Path) -> None:
    folder = write_study(runs, "a", T=[100], trials=scored(searched(24)))
    (folder / files.EVENTS_FILE).unlink()
    assert importance(runs).empty


@pytest.mark.parametrize("start", [0, 100])
def test_random_targets_are_rarely_beyond_chance(
    runs: Path, start: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of all hyperparameters of a search together: one in twenty."""
    monkeypatch.setattr("analysis.tables.importance.SHUFFLES", 40)
    rng = np.random.default_rng(start)
    for number in range(20):
        trials = [row | {"ladder_accuracy": rng.random()} for row in searched(20)]
        write_study(runs, f"s{number}", T=[100], trials=trials)
    smallest = importance(runs).groupby("study")["p_value"].min()
    assert len(smallest) == 20
    assert (smallest < 0.05).sum() <= 4


def test_the_search_space_of_a_study() -> None:
    space = {
        "learning_rate": {"low": 1e-4, "high": 1e-2, "log": True},
        "hidden_size": {"choices": [64, 128]},
        "curriculum_length": {"low": 100, "high": 900},
        "clip_norm": {"low": 0, "high": 1},
        "optimizer": {"choices": ["adam", "sgd"]},
    }
    trials = pd.DataFrame(
        {
            "learning_rate": [1e-3, 0.05],  # given, beyond the range
            "hidden_size": [64, 256],
            "curriculum_length": [100, 200],
            "clip_norm": [None, 0.5],
        }
    )
    assert search_space(space, trials) == {
        "learning_rate": FloatDistribution(1e-4, 0.05, log=True),
        "hidden_size": CategoricalDistribution([64, 128, 256]),
        "curriculum_length": IntDistribution(100, 900),
        "clip_norm": FloatDistribution(0, 1),
    }


def test_choices_are_those_that_a_file_of_trials_gives_back() -> None:
    space = {"input_gated": {"choices": [True, False]}, "start": {"choices": ["1.0", "chrono"]},
             "size": {"choices": ["8", "16"]}}  # fmt: skip
    trials = pd.DataFrame({"input_gated": ["True", "False"], "start": ["1.0", "chrono"],
                           "size": [8, 16]})  # fmt: skip
    assert search_space(space, trials) == {
        "input_gated": CategoricalDistribution(["True", "False"]),
        "start": CategoricalDistribution(["1.0", "chrono"]),
        "size": CategoricalDistribution([8.0, 16.0]),
    }


def test_a_number_among_words_is_one_choice_however_it_is_written() -> None:
    space = {"start": {"choices": [1, "chrono"]}, "bias": {"choices": [1.0, "1e-3"]}}
    trials = pd.DataFrame({"start": ["1.0", "chrono"], "bias": [1.0, 0.001]})
    assert search_space(space, trials) == {
        "start": CategoricalDistribution(["1.0", "chrono"]),
        "bias": CategoricalDistribution([1.0, 0.001]),
    }
