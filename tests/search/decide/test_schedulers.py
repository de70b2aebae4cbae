from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_studies import make_config, report, start
from points import point
from ray.tune.schedulers import FIFOScheduler, TrialScheduler

from benchmarks.replay.curves import Evaluation
from benchmarks.replay.policies import StudySearch, memory_study
from search.config.asha import Asha
from search.decide.schedulers import (
    StudyScheduler,
    as_result,
    make_scheduler,
    restored_scheduler,
    rung_iterations,
    shown_metrics,
)
from search.study.study import Study
from studies import format as files

STOP = TrialScheduler.STOP


def result(iteration: int, accuracy: float) -> dict:
    """What a worker reports to Tune."""
    return as_result(point(iteration, accuracy), "ladder_accuracy")


def decide(scheduler: Asha, trial_id: str, iteration: int, accuracy: float) -> str:
    trial = SimpleNamespace(trial_id=trial_id)
    if trial_id not in scheduler._trial_info:
        scheduler.on_trial_add(None, trial)
    return scheduler.on_trial_result(None, trial, result(iteration, accuracy))


def rungs(scheduler: Asha) -> list[tuple]:
    return [(milestone, list(values)) for milestone, values in scheduler.rungs]


def test_a_bad_trial_is_stopped_at_the_first_rung_and_not_before():
    scheduler = make_scheduler(make_config(grace_iterations=2), 5)
    for name, accuracy in [("a", 0.5), ("b", 0.6), ("c", 0.7)]:
        assert decide(scheduler, name, 2, accuracy) == TrialScheduler.CONTINUE
    assert decide(scheduler, "d", 1, 0.1) == TrialScheduler.CONTINUE
    assert decide(scheduler, "d", 2, 0.1) == TrialScheduler.STOP


def test_the_last_iteration_of_the_budget_is_no_early_stop():
    assert decide(make_scheduler(make_config(), 5), "a", 10, 0.5) == TrialScheduler.CONTINUE


class Live:
    """A study and its scheduler, called as Tune's controller does with trials that run."""

    def __init__(self, study: Study):
        self.study = study
        self.scheduler = StudyScheduler(study)

    def start(self, name: str) -> None:
        start(self.study, name)
        self.scheduler.on_trial_add(None, SimpleNamespace(trial_id=name))

    def report(self, name: str, accuracy: float, final: bool) -> bool:
        """Whether the trial goes on. The scheduler is not asked about a last result."""
        trial = SimpleNamespace(trial_id=name)
        reached = result(len(self.study.history.trials[name].curve) + 1, accuracy)
        status = files.COMPLETED if final else ""
        if not final and self.scheduler.on_trial_result(None, trial, reached) == STOP:
            status = files.STOPPED_EARLY
        report(self.study, name, reached["iteration"], accuracy, status)
        if status:
            self.scheduler.on_trial_complete(None, trial, reached)
        return not status

    def rungs(self) -> list[tuple]:
        return rungs(self.scheduler._schedulers[5])


@given(
    st.lists(
        # Hundredths, since hypothesis has no floats where denormal numbers are flushed.
        st.tuples(st.integers(0, 7), st.integers(0, 100), st.integers(0, 3).map(lambda n: not n)),
        max_size=40,
    ),
    st.integers(0, 40),
    st.sampled_from([1.3, 2, 3]),
)
def test_rungs_and_decisions_are_the_same_live_after_a_restart_and_replayed(
    tmp_path_factory, reports, restart, factor
):
    config = make_config(T=[5], grace_iterations=1, reduction_factor=factor, sampler="random")
    folder = tmp_path_factory.mktemp("asha")
    through = Live(Study.create(folder / "through", config))
    restarted = Live(Study.create(folder / "restarted", config))
    replayed = StudySearch(memory_study(config), 5)
    numbers: dict[int, int] = {}  # which trial of the list is which of the replay
    ended = set()
    for index, (trial, percent, final) in enumerate(reports):
        name, accuracy = f"T5-{numbers.get(trial, len(numbers)):04d}", percent / 100
        if index == restart:
            restarted.study.close()
            restarted = Live(Study.open(folder / "restarted"))
            for running in restarted.study.history.lengths[5].live:
                restarted.scheduler.on_trial_add(None, SimpleNamespace(trial_id=running))
        if trial in ended:
            continue
        if trial not in numbers:
            numbers[trial] = len(numbers)
            replayed.ask(numbers[trial])
            through.start(name)
            restarted.start(name)
        reached = point(len(through.study.history.trials[name].curve) + 1, accuracy)
        evaluation = Evaluation(*(getattr(reached, field) for field in Evaluation._fields))
        goes_on = through.report(name, accuracy, final)
        assert restarted.report(name, accuracy, final) == goes_on
        assert replayed.report(numbers[trial], evaluation, final) == goes_on
        if not goes_on:
            ended.add(trial)
    if numbers:
        expected = through.rungs()
        assert rungs(restored_scheduler(through.study, 5)) == expected
        assert rungs(replayed._scheduler._schedulers[5]) == expected
        if restarted.scheduler._schedulers:
            assert restarted.rungs() == expected
    for live in (through, restarted):
        live.study.close()


@given(
    st.sampled_from(["asha", "hyperband"]),
    st.integers(1, 10),
    st.sampled_from([1.3, 2, 2.5, 3, 4]),
    st.integers(1, 60),
    st.lists(st.lists(st.integers(0, 100), min_size=1, max_size=70), min_size=1, max_size=6),
)
def test_between_rungs_a_scheduler_need_not_see_anything(kind, grace, factor, most, trials):
    config = make_config(scheduler=kind, grace_iterations=grace, reduction_factor=factor)
    training = {"tokens_per_iteration": 100, "max_tokens": 100 * most}
    config = config.model_copy(update={"training": {**config.training, **training}})
    decided = rung_iterations(config, 5, files.SEARCH)

    def ends(sees) -> list[int]:
        """When each trial is stopped, or its last iteration; a trial may train on beyond most."""
        scheduler, found = make_scheduler(config, 5), []
        for number, percents in enumerate(trials):
            trial = SimpleNamespace(trial_id=f"T5-{number:04d}")
            scheduler.on_trial_add(None, trial)
            seen = [result(i, percent / 100) for i, percent in enumerate(percents, 1) if sees(i)]
            stops = (r for r in seen if scheduler.on_trial_result(None, trial, r) == STOP)
            found.append(next(stops, {"iteration": len(percents)})["iteration"])
        return found

    every = ends(lambda iteration: True)
    assert ends(lambda i: i in decided or i >= decided[-1]) == every


@pytest.mark.parametrize("scheduler", ["asha", "hyperband", "none"])
def test_a_race_may_end_a_training_after_any_iteration_and_nothing_a_confirmation(scheduler):
    config = make_config(scheduler=scheduler)
    assert rung_iterations(config, 5, files.RACE) == [1]
    assert (
        rung_iterations(config, 5, files.CONFIRM) == rung_iterations(config, 5, files.FINAL) == []
    )


def test_a_worker_that_took_over_and_reports_again_does_not_count_twice(tmp_path):
    live = Live(
        Study.create(tmp_path / "study", make_config(grace_iterations=1, reduction_factor=1.3))
    )
    live.start("a")
    for accuracy in [0.5] * 2:
        live.report("a", accuracy, final=False)
    before = live.rungs()
    trial = SimpleNamespace(trial_id="a")
    assert live.scheduler.on_trial_result(None, trial, result(2, 0.5)) == TrialScheduler.CONTINUE
    live.scheduler.on_trial_add(None, trial)
    assert live.rungs() == before


def test_none_stops_nothing(tmp_path):
    assert type(make_scheduler(make_config(scheduler="none"), 5)) is FIFOScheduler
    study = Study.create(tmp_path / "study", make_config(scheduler="none"))
    start(study, "a")
    report(study, "a", 1, 0.5)
    assert type(restored_scheduler(study, 5)) is FIFOScheduler


@pytest.mark.parametrize(
    ("metric", "name"), [("accuracy", "validation_accuracy"), ("ladder_accuracy",) * 2]
)
def test_the_metric_is_the_one_asked_for(metric, name):
    assert make_scheduler(make_config(metric=metric), 5)._metric == name


def test_each_T_has_rungs_of_its_own_and_what_follows_the_search_has_none(tmp_path):
    study = Study.create(tmp_path / "study", make_config(grace_iterations=1))
    scheduler = StudyScheduler(study)

    def told(name: str, accuracy: float) -> str:
        trial = SimpleNamespace(trial_id=name)
        scheduler.on_trial_add(None, trial)
        return scheduler.on_trial_result(None, trial, result(1, accuracy))

    for name in ("a", "b", "c"):
        start(study, name)
        assert told(name, 0.9) == TrialScheduler.CONTINUE
    for name, T in [("weak", 5), ("first at 9", 9)]:
        start(study, name, T=T)
    assert told("weak", 0.1) == TrialScheduler.STOP
    assert told("first at 9", 0.1) == TrialScheduler.CONTINUE
    training = study.history.trials["a"].training
    for name, stage in [("final", "final"), ("confirmation", "confirm")]:
        study.start_trial(name, training, stage)
        assert told(name, 0.0) == TrialScheduler.CONTINUE


def test_a_training_of_a_race_is_stopped_once_it_has_lost(tmp_path):
    study = Study.create(tmp_path / "study", make_config(scheduler="none"))
    scheduler = StudyScheduler(study)
    training = start(study, "a").to_dict()
    report(study, "a", 1, 1.0, tokens_to_solve=100)
    study.start_trial("race", training, files.RACE, confirms="a")
    trial = SimpleNamespace(trial_id="race")
    scheduler.on_trial_add(None, trial)

    def told(iteration: int, tokens: int, accuracy: float) -> str:
        values = (iteration, tokens, accuracy)
        names = shown_metrics(study.config, files.RACE)
        return scheduler.on_trial_result(None, trial, dict(zip(names, values, strict=True)))

    assert told(1, 199, 0.5) == told(1, 200, 0.99) == TrialScheduler.CONTINUE
    assert told(1, 200, 0.5) == TrialScheduler.STOP
    report(study, "race", 1, 0.5)
    assert told(1, 200, 0.5) == TrialScheduler.CONTINUE  # a worker that took over repeats it


def test_a_trial_that_was_cut_off_is_stopped_at_its_next_result(tmp_path):
    study = Study.create(tmp_path / "study", make_config(scheduler="none"))
    scheduler, trial = StudyScheduler(study), SimpleNamespace(trial_id="a")
    start(study, "a")
    scheduler.on_trial_add(None, trial)
    assert scheduler.on_trial_result(None, trial, result(1, 0.5)) == TrialScheduler.CONTINUE
    study.end_length(5, "budget_minutes")
    assert scheduler.on_trial_result(None, trial, result(2, 0.5)) == TrialScheduler.STOP


def test_beyond_the_list_a_trial_may_spend_its_whole_budget():
    """Fields of tokens grow with such a T, but for those that are searched."""
    config = make_config(T=[5])
    fixed, searched = {"tokens_per_iteration": 100, "max_tokens": 1000}, {"choices": [50, 100]}
    config = config.model_copy(update={"training": {**config.training, **fixed}})
    assert config.max_iterations(5) == config.max_iterations(20) == 10
    space = {**config.space, "tokens_per_iteration": searched}
    config = config.model_copy(update={"space": space})
    assert (config.max_iterations(5), config.max_iterations(20)) == (20, 80)
    assert decide(make_scheduler(config, 20), "a", 79, 0.5) == TrialScheduler.CONTINUE
    depends = {"choices": [2000, 4000], "when": {"optimizer": "sgd"}}
    space = {"max_tokens": depends, "optimizer": {"choices": ["adam", "sgd"]}}
    config = config.model_copy(update={"space": space})
    with_adam = config.training_config(20, {"optimizer": "adam"}, seed=0)
    assert config.max_iterations(20) >= with_adam.max_tokens / with_adam.tokens_per_iteration
