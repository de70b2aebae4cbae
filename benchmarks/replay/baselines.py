"""Other search methods as policies of the simulator; each calls the real objects of its library.

All methods search the same space, with trials of the same budget. A method that stops trials early
has the grace period and the reduction factor of this project's search; all its other settings keep
their defaults.
"""

from collections.abc import Mapping
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import numpy as np
import optuna
from optuna.trial import TrialState
from ray.tune.result import TRAINING_ITERATION
from ray.tune.schedulers import ASHAScheduler, TrialScheduler
from ray.tune.search.optuna import OptunaSearch

from benchmarks.baselines.spaces import optuna_space, ray_space, syne_tune_space
from benchmarks.replay.curves import Evaluation
from search.config.study_config import StudyConfig


class RayTune:
    """Ray Tune with OptunaSearch and ASHAScheduler, called as Tune's controller does.

    Of a trial that ASHA stops the controller tells the searcher that it is complete, with its
    last result; of one that raises an error, that it failed.

    Args:
        metric: the field of an evaluation that both see.
    """

    def __init__(self, config: StudyConfig, seed: int, metric: str):
        self._metric = metric
        self._searcher = OptunaSearch(metric=metric, mode="max", seed=seed)
        self._searcher.set_search_properties(metric, "max", ray_space(config))
        self._scheduler = ASHAScheduler(
            metric=metric,
            mode="max",
            max_t=config.max_iterations(config.T[-1]),
            grace_period=config.search.grace_iterations,
            reduction_factor=config.search.reduction_factor,
        )

    def ask(self, trial: int) -> Mapping[str, Any]:
        self._scheduler.on_trial_add(None, SimpleNamespace(trial_id=str(trial)))
        return self._searcher.suggest(str(trial))

    def report(self, trial: int, evaluation: Evaluation, final: bool) -> bool:
        known = SimpleNamespace(trial_id=str(trial))  # all that ASHA asks of a trial
        result = {TRAINING_ITERATION: evaluation.iteration, **evaluation._asdict()}
        decision = self._scheduler.on_trial_result(None, known, result)
        if decision != TrialScheduler.STOP:
            self._searcher.on_trial_result(str(trial), result)
            if not final:
                return True
        self._scheduler.on_trial_complete(None, known, result)
        self._searcher.on_trial_complete(str(trial), result)
        return False

    def fail(self, trial: int, evaluation: Evaluation) -> None:
        self._scheduler.on_trial_error(None, SimpleNamespace(trial_id=str(trial)))
        self._searcher.on_trial_complete(str(trial), error=True)


class OptunaHyperband:
    """Optuna's TPESampler and HyperbandPruner, as a trial of ``study.optimize`` uses them."""

    def __init__(self, config: StudyConfig, seed: int, metric: str):
        self._metric = metric
        self._space = optuna_space(config)
        self._study = optuna.create_study(
            direction="maximize",
            study_name=f"seed {seed}",  # decides the brackets
            sampler=optuna.samplers.TPESampler(seed=seed),
            pruner=optuna.pruners.HyperbandPruner(
                min_resource=config.search.grace_iterations,
                max_resource=config.max_iterations(config.T[-1]),
                reduction_factor=round(config.search.reduction_factor),
            ),
        )
        self._trials: dict[int, optuna.Trial] = {}

    def ask(self, trial: int) -> Mapping[str, Any]:
        self._trials[trial] = self._study.ask(self._space)
        return self._trials[trial].params

    def report(self, trial: int, evaluation: Evaluation, final: bool) -> bool:
        asked = self._trials[trial]
        value = getattr(evaluation, self._metric)
        asked.report(value, evaluation.iteration)
        if asked.should_prune():
            self._study.tell(asked, state=TrialState.PRUNED)
            return False
        if final:
            self._study.tell(asked, value)
        return not final

    def fail(self, trial: int, evaluation: Evaluation) -> None:
        self._study.tell(self._trials[trial], state=TrialState.FAIL)


class SyneTune:
    """A multi-fidelity scheduler of Syne Tune, called as its Tuner does.

    Args:
        scheduler: its name in ``syne_tune.optimizer.baselines``.
    """

    def __init__(self, config: StudyConfig, seed: int, metric: str, scheduler: str):
        from syne_tune.optimizer import baselines

        np.random.seed(seed)  # its searchers draw from the global generator as well
        self._scheduler = getattr(baselines, scheduler)(
            syne_tune_space(config),
            metric=metric,
            do_minimize=False,
            time_attr="iteration",
            max_t=config.max_iterations(config.T[-1]),
            grace_period=config.search.grace_iterations,
            reduction_factor=config.search.reduction_factor,
            random_seed=seed,
        )
        self._trials: dict[int, Any] = {}

    def ask(self, trial: int) -> Mapping[str, Any]:
        from syne_tune.backend.trial_status import Trial

        config = self._scheduler.suggest().config
        self._trials[trial] = Trial(trial, config, datetime.now())
        self._scheduler.on_trial_add(self._trials[trial])
        return config

    def report(self, trial: int, evaluation: Evaluation, final: bool) -> bool:
        from syne_tune.optimizer.scheduler import SchedulerDecision

        known, result = self._trials[trial], evaluation._asdict()
        decision = self._scheduler.on_trial_result(known, result)
        if final:
            self._scheduler.on_trial_complete(known, result)
        return not final and decision != SchedulerDecision.STOP

    def fail(self, trial: int, evaluation: Evaluation) -> None:
        self._scheduler.on_trial_error(self._trials[trial])
