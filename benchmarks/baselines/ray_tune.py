"""A search with Ray Tune as its documentation writes one: Tuner, OptunaSearch, ASHAScheduler.

    COPYTASK_RACE_RESULTS=results python -m benchmarks.baselines.ray_tune --model mgru

Searches until it is interrupted.
"""

import os
import tempfile
from typing import Any

import ray
from ray import tune
from ray.tune.schedulers import ASHAScheduler
from ray.tune.search.optuna import OptunaSearch

from benchmarks.baselines.command import make_parser, parse_arguments
from benchmarks.baselines.results import note
from benchmarks.baselines.spaces import ray_space
from copytask import Trainer
from search.config.study_config import StudyConfig


def train(
    hyperparameters: dict[str, Any], study: StudyConfig, T: int, metric: str, seed: int
) -> None:
    """One trial."""
    for metrics in Trainer(study.training_config(T, hyperparameters, seed)):
        tune.report(
            {
                "value": getattr(metrics, metric),
                "tokens": metrics.tokens,
                "solved": metrics.tokens_to_solve is not None,
            }
        )


class Notes(tune.Stopper):
    """Notes each result. It stops nothing."""

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        note(trial_id, result["tokens"], result["solved"])
        return False

    def stop_all(self) -> bool:
        return False


def main() -> None:
    args = parse_arguments(make_parser(__doc__))
    search = args.study.search
    ray.init(
        "local", num_cpus=args.workers, include_dashboard=False, log_to_driver=False,
        logging_level="error",
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as storage:
        tuner = tune.Tuner(
            tune.with_parameters(
                train, study=args.study, T=args.T, metric=args.metric, seed=args.seed
            ),
            param_space=ray_space(args.study),
            tune_config=tune.TuneConfig(
                metric="value",
                mode="max",
                search_alg=OptunaSearch(seed=args.seed, points_to_evaluate=args.initial),
                scheduler=ASHAScheduler(
                    max_t=args.study.max_iterations(args.T),
                    grace_period=search.grace_iterations,
                    reduction_factor=search.reduction_factor,
                ),
                num_samples=-1,
                max_concurrent_trials=args.workers,
            ),
            run_config=tune.RunConfig(storage_path=storage, stop=Notes(), verbose=0),
        )
        tuner.fit()


if __name__ == "__main__":
    os.environ.setdefault("RAY_AIR_NEW_OUTPUT", "0")
    main()
