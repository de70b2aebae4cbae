"""Stops trials early: a scheduler for each T, rebuilt after a restart."""

import math
from types import SimpleNamespace
from typing import Any

from ray.tune.experiment import Trial
from ray.tune.schedulers import FIFOScheduler, TrialScheduler

from search.config.algorithms import SCHEDULERS
from search.config.asha import Asha
from search.config.hyperband import Hyperband
from search.config.sections import METRIC_NAMES
from search.config.study_config import StudyConfig
from search.study.race import has_lost
from search.study.study import Study
from studies import format as files
from studies.events import Point


def make_scheduler(config: StudyConfig, T: int) -> TrialScheduler:
    """A new scheduler of one T. It counts in training iterations, also of resumed trials."""
    search = config.search
    return SCHEDULERS[search.scheduler](
        metric=METRIC_NAMES[search.metric],
        max_iterations=config.max_iterations(T),
        grace_iterations=search.grace_iterations,
        reduction_factor=search.reduction_factor,
    )


def rung_iterations(config: StudyConfig, T: int, stage: str) -> list[int]:
    """The iterations after which a trial at T may be stopped early, and from the last one on after
    each.

    A race may stop it after any, and so may a scheduler that is not known here.
    """
    if stage in (files.FINAL, files.CONFIRM):
        return []
    if stage == files.SEARCH:
        if config.search.scheduler == "none":
            return []
        scheduler = make_scheduler(config, T)
        brackets = scheduler.brackets if isinstance(scheduler, Hyperband) else [scheduler]
        if all(isinstance(bracket, Asha) for bracket in brackets):
            found = {math.ceil(rung) for bracket in brackets for rung, _ in bracket.rungs}
            return sorted({*found, config.max_iterations(T)})
    return [1]


def restored_scheduler(study: Study, T: int) -> TrialScheduler:
    """The scheduler of one T, as it was when the last result came.

    Ray Tune does not save schedulers (Ray issue 30838): a restored ASHA would start with empty
    rungs and let poor trials continue. The rungs follow from the results in their order of arrival,
    so this shows the scheduler all of them again.
    """
    scheduler, metric = make_scheduler(study.config, T), METRIC_NAMES[study.config.search.metric]
    length = study.history.lengths[T]
    known: dict[int, Any] = {}
    for number, iteration, value in length.arrivals:
        if number not in known:  # a name is all that ASHA asks of a trial
            known[number] = SimpleNamespace(trial_id=length.trials[number].id)
            scheduler.on_trial_add(None, known[number])
        scheduler.on_trial_result(None, known[number], {"iteration": iteration, metric: value})
    for number, trial in known.items():
        if length.trials[number].ended:
            scheduler.on_trial_remove(None, trial)
    return scheduler


def shown_metrics(config: StudyConfig, stage: str) -> list[str]:
    """Names of the metrics that :class:`StudyScheduler` looks at in a result."""
    if stage == files.RACE:
        return ["iteration", "tokens", "validation_accuracy"]
    return ["iteration", METRIC_NAMES[config.search.metric]]


def as_result(point: Point, metric: str) -> dict[str, Any]:
    """What a scheduler looks at in a result of Tune."""
    return {"iteration": point.iteration, metric: getattr(point, metric)}


class StudyScheduler(FIFOScheduler):
    """The scheduler of a whole study: it has one for the search at each T.

    It stops a trial that was cut off, and a training of a race that has lost. It lets final
    trainings and confirmations run to their end.
    """

    def __init__(self, study: Study):
        super().__init__()
        self._study = study
        self._schedulers: dict[int, TrialScheduler] = {}

    def on_trial_add(self, tune_controller: Any, trial: Trial) -> None:
        record = self._study.history.trials[trial.trial_id]
        T = record.T
        if record.stage == files.SEARCH:
            if T not in self._schedulers:
                self._schedulers[T] = restored_scheduler(self._study, T)
            self._schedulers[T].on_trial_add(tune_controller, trial)

    def on_trial_result(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> str:
        record = self._study.history.trials[trial.trial_id]
        if record.ended:
            return str(TrialScheduler.STOP)
        # A worker that took over may report again what the study knows already.
        if result["iteration"] <= len(record.curve):
            return str(TrialScheduler.CONTINUE)
        if record.stage == files.RACE:
            candidate = self._study.history.trials[record.confirms]
            lost = has_lost(candidate, result["tokens"], result["validation_accuracy"])
            return str(TrialScheduler.STOP if lost else TrialScheduler.CONTINUE)
        if record.stage != files.SEARCH:
            return str(TrialScheduler.CONTINUE)
        scheduler = self._schedulers[record.T]
        decision = str(scheduler.on_trial_result(tune_controller, trial, result))
        if decision == TrialScheduler.STOP:
            scheduler.on_trial_remove(tune_controller, trial)
        return decision

    def on_trial_complete(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> None:
        """Show the scheduler of its T the result with which a trial has completed.

        Tune asks no scheduler about the last result of a trial, but it counts in the rungs like any
        other. Of a trial that was stopped early, it has been counted already.
        """
        record = self._study.history.trials[trial.trial_id]
        if record.stage == files.SEARCH and record.status == files.COMPLETED:
            scheduler = self._schedulers[record.T]
            metric = METRIC_NAMES[self._study.config.search.metric]
            last = as_result(record.curve[-1], metric)
            scheduler.on_trial_complete(tune_controller, trial, last)
            scheduler.on_trial_remove(tune_controller, trial)
