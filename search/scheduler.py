"""ASHA whose rungs survive a restart of the driver."""

import math
from typing import Any

from ray.tune import Callback
from ray.tune.schedulers import ASHAScheduler, FIFOScheduler, TrialScheduler

from search.config import StudyConfig

METRICS = {"ladder_accuracy": "ladder_accuracy", "accuracy": "validation_accuracy"}
"""``search.metric`` -> the name that the trainable reports it under."""


def make_scheduler(config: StudyConfig) -> TrialScheduler:
    """The scheduler of one T."""
    search = config.search
    if search.scheduler == "none":
        return FIFOScheduler()
    max_tokens = max(config.possible_values("max_tokens"))
    max_iterations = math.ceil(max_tokens / min(config.possible_values("tokens_per_iteration")))
    return ASHAScheduler(
        metric=METRICS[search.metric],
        mode="max",
        # A trial ends itself at its budget, so whatever ASHA stops it has stopped early.
        max_t=max_iterations + 1,
        grace_period=min(search.grace_iterations, max_iterations),
        reduction_factor=search.reduction_factor,
    )


class RungKeeper(Callback):
    """Saves ASHA's rungs with the experiment.

    Ray Tune saves the searcher and the callbacks, but not the scheduler (Ray issue 30838): a
    restored ASHA would start with empty rungs and let bad trials run on.
    """

    def __init__(self, scheduler: ASHAScheduler):
        self._bracket = scheduler._brackets[0]

    def get_state(self) -> dict[str, Any]:
        return {"rungs": [(milestone, dict(scores)) for milestone, scores in self._bracket._rungs]}

    def set_state(self, state: dict[str, Any]) -> None:
        for (_, scores), (_, saved) in zip(self._bracket._rungs, state["rungs"], strict=True):
            scores.clear()
            scores.update(saved)
