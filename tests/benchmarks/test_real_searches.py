"""Every side of a real race, on a task that a given configuration solves in seconds."""

import importlib.util

import pytest

from benchmarks.baselines.race import OURS, Search
from benchmarks.options import SEARCHES
from search.config.reading import load_config

SYNE_TUNE = importlib.util.find_spec("syne_tune") is not None
RUN = ["Ray Tune: OptunaSearch, ASHA", "Optuna: TPE, Hyperband"]
RUN += ["Syne Tune: ASHACQR"] if SYNE_TUNE else []
"""One for each script of others, as each takes a minute; further sides differ in an option."""

POINT = {"learning_rate": 0.005, "hidden_size": 64, "curriculum_length": 250}
QUICK = [
    "task=sequence",
    "training.tokens_per_iteration=50000",
    "training.validation_payloads=100",
]


def make_search(side: str, **settings) -> Search:
    options = ["--model", "lstm", "--config", str(SEARCHES), "--seed", "0"]
    options += [part for text in QUICK for part in ("--set", text)]
    return Search(side, options, T=1, workers=2, minutes=60, initial=[POINT], **settings)


@pytest.mark.slow
@pytest.mark.thorough
@pytest.mark.parametrize("side", RUN)
def test_every_other_side_notes_that_T_is_solved(side):
    took = make_search(side).run()
    assert took.solved
    assert took.trials >= 1
    assert took.tokens >= 100_000
    assert took.seconds > 1


@pytest.mark.slow
def test_ours_notes_that_T_is_solved_and_hands_on_its_best_configurations():
    config = load_config(SEARCHES, QUICK, {"model": "lstm", "T": [2]})
    took, points = make_search(OURS, solved_trials=2).run_for_points(config)
    assert took.solved
    assert took.tokens >= 100_000
    assert took.seconds > 1
    assert POINT in points
    assert 1 <= len(points) <= 3
