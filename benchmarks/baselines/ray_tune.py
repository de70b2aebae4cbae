"""A search with Ray Tune as its documentation writes one: Tuner, OptunaSearch, ASHAScheduler.

    python -m benchmarks.baselines.ray_tune --model mgru

Ends with the first trial that solves T, or at the time limit. Prints one line
of JSON.
"""

import time

START = time.perf_counter()

import os
import tempfile
from typing import Any

import ray
from ray import tune
from ray.tune.schedulers import ASHAScheduler
from ray.tune.search.optuna import OptunaSearch

from benchmarks.baselines.command import make_parser, parse_arguments, print_result
from benchmarks.baselines.spaces import GRACE, max_iterations, ray_space
from copytask import Trainer
from search.config.study_config import StudyConfig


def train(hyperparameters: dict[str, Any], study: StudyConfig, T: int, seed: int) -> None:
    """One trial."""
    for metrics in Trainer(study.training_config(T, hyperparameters, seed)):
        tune.report(
            {
                "accuracy": metrics.validation_accuracy,
                "tokens": metrics.tokens,
                "solved": metrics.tokens_to_solve is not None,
            }
        )


class UntilSolved(tune.Stopper):
    """Ends the whole experiment with the first trial that solves T.

    Attributes:
        tokens: of each trial so far.
        solved: whether one has solved it.
    """

    def __init__(self) -> None:
        self.tokens: dict[str, int] = {}
        self.solved = False

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        self.tokens[trial_id] = result["tokens"]
        self.solved = self.solved or result["solved"]
        return False

    def stop_all(self) -> bool:
        return self.solved


def main() -> None:
    args = parse_arguments(make_parser(__doc__))
    search = args.study.search
    ray.init(
        num_cpus=args.workers, include_dashboard=False, log_to_driver=False, logging_level="error"
    )
    until_solved = UntilSolved()
    with tempfile.TemporaryDirectory() as storage:
        tuner = tune.Tuner(
            tune.with_parameters(train, study=args.study, T=args.T, seed=args.seed),
            param_space=ray_space(args.study),
            tune_config=tune.TuneConfig(
                metric="accuracy",
                mode="max",
                search_alg=OptunaSearch(seed=args.seed),
                scheduler=ASHAScheduler(
                    max_t=max_iterations(args.study),
                    grace_period=GRACE,
                    reduction_factor=search.reduction_factor,
                ),
                num_samples=-1,
                max_concurrent_trials=args.workers,
                time_budget_s=60 * args.minutes - (time.perf_counter() - START),
            ),
            run_config=tune.RunConfig(storage_path=storage, stop=until_solved, verbose=0),
        )
        tuner.fit()
    print_result(
        "Ray Tune: OptunaSearch, ASHA",
        START,
        sum(until_solved.tokens.values()),
        len(until_solved.tokens),
        until_solved.solved,
    )


if __name__ == "__main__":
    os.environ.setdefault("RAY_AIR_NEW_OUTPUT", "0")
    main()
