"""Why a trial was stopped, as told later, against what Ray's ASHA decided."""

import random

import pytest
from made_studies import make_config, report, start
from points import point
from ray.tune.schedulers import TrialScheduler

from search.decide.schedulers import StudyScheduler, as_result
from search.study.early_stops import stop_of
from search.study.resuming import restart_failed
from search.study.study import Study
from studies import format as files


class Trial:
    """All of a Tune trial that the scheduler asks for."""

    def __init__(self, trial_id: str):
        self.trial_id = trial_id


@pytest.mark.parametrize("name", ["asha", "hyperband"])
def test_a_trial_was_stopped_where_it_had_less_than_it_needed_and_only_there(tmp_path, name):
    draw = random.Random(0)
    config = make_config(T=[5], grace_iterations=2, reduction_factor=2, scheduler=name)
    study = Study.create(tmp_path / "s", config)
    scheduler = StudyScheduler(study)
    live = []
    for number in range(30):
        start(study, f"t{number}")
        live.append(Trial(f"t{number}"))
        scheduler.on_trial_add(None, live[-1])
        for trial in draw.sample(live, k=min(2, len(live))):
            iteration = len(study.history.trials[trial.trial_id].curve) + 1
            reached = point(iteration, draw.random())
            result = as_result(reached, "ladder_accuracy")
            decision = scheduler.on_trial_result(None, trial, result)
            stopped = decision == TrialScheduler.STOP
            study.add_result(trial.trial_id, reached, 99, files.STOPPED_EARLY if stopped else "")
            if iteration == 9:  # a trial ends itself before ASHA would
                live.remove(trial)
            elif stopped:
                live.remove(trial)
                stop = stop_of(study.history, study.history.trials[trial.trial_id])
                assert stop.iteration in (2, 4, 8)
                assert stop.value == reached.ladder_accuracy < stop.needed
            elif iteration in (2, 4, 8) and name == "asha":  # brackets have other first rungs
                told = stop_of(study.history, study.history.trials[trial.trial_id])
                assert told.needed is None or told.value >= told.needed
    assert len(study.history.stopped) > {"asha": 5, "hyperband": 1}[name]
    study.close()


def test_why_a_trial_was_stopped_does_not_change_when_failed_trials_run_again(tmp_path):
    study = Study.create(tmp_path / "s", make_config(T=[5], grace_iterations=1))
    for number, accuracy in enumerate([0.3, 0.4, 0.2]):
        start(study, f"t{number}")
        report(study, f"t{number}", 1, accuracy, files.STOPPED_EARLY if number == 2 else "")
    told = stop_of(study.history, study.history.trials["t2"])
    assert told.needed > 0.15
    study.fail_trial("t1", "worker lost")
    restart_failed(study)
    assert stop_of(study.history, study.history.trials["t2"]) == told
    report(study, "t1", 1, 0.1)
    assert stop_of(study.history, study.history.trials["t2"]) == told
    study.close()
