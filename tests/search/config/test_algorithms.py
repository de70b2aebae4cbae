from types import SimpleNamespace

import optuna
import pytest
from optuna.distributions import FloatDistribution
from ray.tune.schedulers import TrialScheduler

from search.config.algorithms import SAMPLERS, SCHEDULERS

SPACE = {"x": FloatDistribution(0, 1, step=0.01)}


def samples(name: str, seed: int) -> list[float]:
    """The suggestions of a sampler that learns from each."""
    study = optuna.create_study(direction="maximize")
    for number in range(6):
        study.sampler = SAMPLERS[name](seed=seed + number, startup_trials=2)
        trial = study.ask(SPACE)
        study.tell(trial, trial.params["x"])
    return [trial.params["x"] for trial in study.trials]


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_sampler_follows_its_seed(name):
    assert samples(name, 0) == samples(name, 0) != samples(name, 100)


@pytest.mark.parametrize("name", SCHEDULERS)
def test_a_scheduler_lets_the_first_result_of_a_trial_pass(name):
    scheduler = SCHEDULERS[name](
        metric="accuracy", max_iterations=30, grace_iterations=4, reduction_factor=3
    )
    trial = SimpleNamespace(trial_id="a")
    scheduler.on_trial_add(None, trial)
    result = {"iteration": 4, "accuracy": 0.5}
    assert scheduler.on_trial_result(None, trial, result) == TrialScheduler.CONTINUE
