from functools import partial
from types import SimpleNamespace

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution
from optuna.samplers import TPESampler
from ray.tune.schedulers import TrialScheduler

from search.config.algorithms import SAMPLERS, SCHEDULERS

CHOICES = CategoricalDistribution(["p", "q"])
SPACE = {"x": FloatDistribution(0, 1, step=0.01)}


def samples(name: str, seed: int) -> list[float]:
    """The suggestions of a sampler that learns from each."""
    study = optuna.create_study(direction="maximize")
    for number in range(6):
        study.sampler = SAMPLERS[name](seed=seed + number, startup_trials=2, space=SPACE)
        trial = study.ask(SPACE)
        study.tell(trial, trial.params["x"])
    return [trial.params["x"] for trial in study.trials]


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_sampler_follows_its_seed(name):
    assert samples(name, 0) == samples(name, 0) != samples(name, 100)


def test_tpe_that_is_told_the_space_suggests_what_it_would_have_inferred():
    space = {"x": FloatDistribution(0, 1), "fixed": FloatDistribution(2, 2), "b": CHOICES}

    def suggested(sampler) -> list[dict]:
        study = optuna.create_study(direction="maximize")
        for number in range(8):
            study.sampler = sampler(number)
            trial = study.ask(space)
            if number % 3:  # every third one goes on running
                study.tell(trial, trial.params["x"])
        return [trial.params for trial in study.trials]

    def inferring(seed: int) -> TPESampler:
        return TPESampler(seed=seed, n_startup_trials=2, multivariate=True, constant_liar=True)

    told = partial(SAMPLERS["tpe"], startup_trials=2, space=space)
    assert suggested(lambda seed: told(seed=seed)) == suggested(inferring)


@pytest.mark.parametrize("name", SCHEDULERS)
def test_a_scheduler_lets_the_first_result_of_a_trial_pass(name):
    scheduler = SCHEDULERS[name](
        metric="accuracy", max_iterations=30, grace_iterations=4, reduction_factor=3
    )
    trial = SimpleNamespace(trial_id="a")
    scheduler.on_trial_add(None, trial)
    result = {"iteration": 4, "accuracy": 0.5}
    assert scheduler.on_trial_result(None, trial, result) == TrialScheduler.CONTINUE
