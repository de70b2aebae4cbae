from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ray.tune.schedulers import ASHAScheduler, FIFOScheduler, TrialScheduler
from studies import make_config, metrics, report, start

from search.scheduler import StudyScheduler, make_scheduler, restored_scheduler
from search.study import Study


def decide(scheduler: ASHAScheduler, trial_id: str, iteration: int, accuracy: float) -> str:
    trial = SimpleNamespace(trial_id=trial_id)
    if trial_id not in scheduler._trial_info:
        scheduler.on_trial_add(None, trial)
    return scheduler.on_trial_result(None, trial, metrics(iteration, accuracy))


def rungs(scheduler: ASHAScheduler) -> list[tuple]:
    return [(milestone, dict(scores)) for milestone, scores in scheduler._brackets[0]._rungs]


def test_a_bad_trial_is_stopped_at_the_first_rung_and_not_before():
    scheduler = make_scheduler(make_config(grace_iterations=2))
    for name, accuracy in [("a", 0.5), ("b", 0.6), ("c", 0.7)]:
        assert decide(scheduler, name, 2, accuracy) == TrialScheduler.CONTINUE
    assert decide(scheduler, "d", 1, 0.1) == TrialScheduler.CONTINUE
    assert decide(scheduler, "d", 2, 0.1) == TrialScheduler.STOP


def test_the_last_iteration_of_the_budget_is_no_early_stop():
    assert decide(make_scheduler(make_config()), "a", 10, 0.5) == TrialScheduler.CONTINUE


@given(
    # Hundredths, since hypothesis has no floats where denormal numbers are flushed.
    st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 100)), max_size=60),
    st.integers(0, 60),
)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=40)
def test_after_a_restart_rungs_and_decisions_are_those_of_a_search_that_ran_on(
    tmp_path_factory, reports, restart
):
    config = make_config(grace_iterations=1, reduction_factor=2)
    study = Study.create(tmp_path_factory.mktemp("asha") / "study", config)
    through, restarted = make_scheduler(config), make_scheduler(config)
    stopped = set()
    for index, (name, percent) in enumerate(reports):
        accuracy = percent / 100
        if index == restart:
            study.close()
            study = Study.open(study.path)
            restarted = restored_scheduler(study, 5)
            assert rungs(restarted) == rungs(through)
        if name in stopped:
            continue
        if name not in study.trials:
            start(study, name)
        iteration = len(study.trials[name].curve) + 1
        decision = decide(through, name, iteration, accuracy)
        assert decide(restarted, name, iteration, accuracy) == decision
        if decision == TrialScheduler.STOP:
            stopped.add(name)
        report(study, name, iteration, accuracy, "stopped_early" if name in stopped else "")
    study.close()


def test_none_stops_nothing(tmp_path):
    assert type(make_scheduler(make_config(scheduler="none"))) is FIFOScheduler
    study = Study.create(tmp_path / "study", make_config(scheduler="none"))
    start(study, "a")
    report(study, "a", 1, 0.5)
    assert type(restored_scheduler(study, 5)) is FIFOScheduler


@pytest.mark.parametrize(
    ("metric", "name"), [("accuracy", "validation_accuracy"), ("ladder_accuracy",) * 2]
)
def test_the_metric_is_the_one_asked_for(metric, name):
    assert make_scheduler(make_config(metric=metric))._metric == name


def test_each_T_has_rungs_of_its_own_and_what_follows_the_search_has_none(tmp_path):
    study = Study.create(tmp_path / "study", make_config(grace_iterations=1))
    scheduler = StudyScheduler(study)

    def told(name: str, accuracy: float) -> str:
        trial = SimpleNamespace(trial_id=name)
        scheduler.on_trial_add(None, trial)
        return scheduler.on_trial_result(None, trial, metrics(1, accuracy))

    for name in ("a", "b", "c"):
        start(study, name)
        assert told(name, 0.9) == TrialScheduler.CONTINUE
    for name, T in [("weak", 5), ("first at 9", 9)]:
        start(study, name, T=T)
    assert told("weak", 0.1) == TrialScheduler.STOP
    assert told("first at 9", 0.1) == TrialScheduler.CONTINUE
    training = study.trials["a"].training
    for name, stage in [("final", "final"), ("confirmation", "confirm")]:
        study.start_trial(name, training, stage)
        assert told(name, 0.0) == TrialScheduler.CONTINUE


def test_a_trial_that_was_cut_off_is_stopped_at_its_next_result(tmp_path):
    study = Study.create(tmp_path / "study", make_config(scheduler="none"))
    scheduler, trial = StudyScheduler(study), SimpleNamespace(trial_id="a")
    start(study, "a")
    scheduler.on_trial_add(None, trial)
    assert scheduler.on_trial_result(None, trial, metrics(1, 0.5)) == TrialScheduler.CONTINUE
    study.end_length(5, "budget_minutes")
    assert scheduler.on_trial_result(None, trial, metrics(2, 0.5)) == TrialScheduler.STOP
