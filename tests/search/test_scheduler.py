import pickle
from types import SimpleNamespace

from ray.tune.schedulers import ASHAScheduler, FIFOScheduler, TrialScheduler

from search.config import StudyConfig
from search.scheduler import RungKeeper, make_scheduler


def make_config(**search) -> StudyConfig:
    training = {"max_tokens": 1000, "tokens_per_iteration": 100}
    return StudyConfig(model="gru", training=training, search=search)


def report(scheduler: ASHAScheduler, trial_id: str, iteration: int, accuracy: float) -> str:
    trial = SimpleNamespace(trial_id=trial_id)
    if trial_id not in scheduler._trial_info:
        scheduler.on_trial_add(None, trial)
    scores = {"training_iteration": iteration, "ladder_accuracy": accuracy}
    return scheduler.on_trial_result(None, trial, scores)


def test_a_bad_trial_is_stopped_at_the_first_rung_and_not_before():
    scheduler = make_scheduler(make_config(grace_iterations=2))
    for name, accuracy in [("a", 0.5), ("b", 0.6), ("c", 0.7)]:
        assert report(scheduler, name, 2, accuracy) == TrialScheduler.CONTINUE
    assert report(scheduler, "d", 1, 0.1) == TrialScheduler.CONTINUE
    assert report(scheduler, "d", 2, 0.1) == TrialScheduler.STOP


def test_the_last_iteration_of_the_budget_is_no_early_stop():
    scheduler = make_scheduler(make_config())
    assert report(scheduler, "a", 10, 0.5) == TrialScheduler.CONTINUE


def test_rungs_survive_a_restart():
    config = make_config(grace_iterations=1)
    first = make_scheduler(config)
    for name, accuracy in [("a", 0.5), ("b", 0.6), ("c", 0.7)]:
        report(first, name, 1, accuracy)
    state = pickle.loads(pickle.dumps(RungKeeper(first).get_state()))

    empty, restored = make_scheduler(config), make_scheduler(config)
    RungKeeper(restored).set_state(state)
    assert report(empty, "d", 1, 0.1) == TrialScheduler.CONTINUE
    assert report(restored, "d", 1, 0.1) == TrialScheduler.STOP


def test_none_stops_nothing():
    assert type(make_scheduler(make_config(scheduler="none"))) is FIFOScheduler


def test_the_metric_is_the_one_asked_for():
    assert make_scheduler(make_config(metric="accuracy"))._metric == "validation_accuracy"
