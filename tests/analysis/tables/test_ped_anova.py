"""The importances against those of Optuna's evaluator, which looks at one ranking at a time."""

import warnings

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.importance import PedAnovaImportanceEvaluator

from analysis.tables.ped_anova import best_trials, importances

DISTRIBUTIONS = {
    "rate": FloatDistribution(1e-4, 1e-1, log=True),
    "share": FloatDistribution(0, 1),
    "steps": IntDistribution(100, 5000, log=True),
    "layers": IntDistribution(1, 6),
    "size": CategoricalDistribution([64, 96, 128]),
    "optimizer": CategoricalDistribution(["adam", "sgd"]),
}


def sampled(rng: np.random.Generator, n: int) -> list[dict]:
    return [
        {
            "rate": float(10 ** rng.uniform(-4, -1)), "share": float(rng.random()),
            "steps": int(rng.integers(100, 5001)), "layers": int(rng.integers(1, 7)),
            "size": int(rng.choice([64, 96, 128])), "optimizer": str(rng.choice(["adam", "sgd"])),
        }
        for _ in range(n)
    ]  # fmt: skip


def of_optuna(trials: list[dict], values: np.ndarray) -> dict[str, float]:
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize")
    study.add_trials(
        [
            optuna.trial.create_trial(params=trial, distributions=DISTRIBUTIONS, value=0.0)
            for trial in trials
        ]
    )
    evaluator = PedAnovaImportanceEvaluator(target_quantile=0.25)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return evaluator.evaluate(study, target=lambda trial: -float(values[trial.number]))


@pytest.mark.parametrize(("n", "ties"), [(20, False), (37, True), (100, False)])
def test_shares_of_importance_are_those_of_optuna(n: int, ties: bool) -> None:
    rng = np.random.default_rng(n)
    trials = sampled(rng, n)
    rankings = rng.random((3, n)).round(1 if ties else 8)
    rankings[0] += [trial["size"] == 128 for trial in trials]
    best = best_trials(rankings, 0.25)
    found = {
        name: importances([trial[name] for trial in trials], distribution, best)
        for name, distribution in DISTRIBUTIONS.items()
    }
    for k, values in enumerate(rankings):
        expected = of_optuna(trials, values)
        for name in DISTRIBUTIONS:
            share = found[name][k] / sum(of[k] for of in found.values())
            assert share == pytest.approx(expected[name] / sum(expected.values()), rel=1e-6)


def test_one_value_has_no_importance() -> None:
    best = best_trials(np.arange(20.0)[None], 0.25)
    assert best.sum() == 5
    assert importances([3] * 20, IntDistribution(3, 3), best).tolist() == [0.0]
