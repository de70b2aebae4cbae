"""What the search knows of Ray's inside is still so in the version that is installed."""

import gc
import importlib
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import ray
from ray import tune
from ray.air.execution import FixedResourceManager, ResourceRequest
from ray.air.execution._internal import RayActorManager
from ray.exceptions import RayTaskError
from ray.tune import TuneError
from ray.tune.execution.tune_controller import TuneController
from ray.tune.experiment import Trial

from search.cluster import ray_compat

FOLDER = Path(ray.__file__).parent


def mentioned(names: set[str], files: list[Path]) -> set[str]:
    """Those of the names that are in one of the files."""
    found = set()
    for file in files:
        content = file.read_bytes()
        found |= {name for name in names if name.encode() in content}
    return found


def test_ray_reads_every_switch_that_is_set():
    in_python = {*ray_compat.SWITCHES, ray_compat.LOOPBACK_ONLY, ray_compat.MAX_PENDING}
    folders = ("_private", "_common", "tune", "train", "air")
    files = [file for folder in folders for file in (FOLDER / folder).rglob("*.py")]
    assert mentioned(in_python, files) == in_python
    in_c = {ray_compat.HEAD_TIMEOUT, ray_compat.NO_SPARE_WORKERS, ray_compat.RAYLET_PID}
    names = {name.removeprefix("RAY_") for name in in_c}
    assert mentioned(names, [FOLDER / "_raylet.so"]) == names


@pytest.mark.parametrize("imported", [False, True])
def test_ray_finds_no_dashboard_while_it_starts_and_the_same_as_before_afterwards(
    imported, monkeypatch
):
    module = ModuleType(ray_compat.DASHBOARD)
    monkeypatch.setitem(sys.modules, ray_compat.DASHBOARD, module)
    if not imported:
        monkeypatch.delitem(sys.modules, ray_compat.DASHBOARD)
    with ray_compat.without_dashboard(), pytest.raises(ImportError):
        importlib.import_module(ray_compat.DASHBOARD)
    assert sys.modules.get(ray_compat.DASHBOARD, "absent") == (module if imported else "absent")
    look = {f"import {ray_compat.DASHBOARD}"}
    assert mentioned(look, list((FOLDER / "_private").glob("*.py"))) == look


@pytest.fixture
def trial(tmp_path) -> Trial:
    class Nothing(tune.Trainable):
        pass

    tune.register_trainable("nothing", Nothing)

    class Placed(Trial):
        local_path = str(tmp_path)  # by itself only known while Ray runs

    return Placed("nothing", stub=True)


def test_a_trial_of_tune_has_what_is_used_of_it(trial):
    assert ray_compat.worker_of(trial) is None
    trial.temporary_state.ray_actor = "an actor"
    assert ray_compat.worker_of(trial) == "an actor"
    ray_compat.set_last_result(trial, {"iteration": 3})
    assert trial.last_result["iteration"] == 3
    assert not trial.metric_analysis  # no statistics


@pytest.mark.parametrize("kept_as_text", [False, True])
def test_the_error_of_a_trial_is_what_tune_was_given(trial, kept_as_text):
    if kept_as_text:
        trial.handle_error(TuneError("killed: low memory\nmore"))
        assert ray_compat.error_of(trial) == "killed: low memory"
    else:
        trial.handle_error(RayTaskError("train", "a traceback", MemoryError("no room")))
        assert isinstance(ray_compat.error_of(trial).cause, MemoryError)


def test_the_error_of_a_trial_is_the_last_one(trial):
    for number in (1, 2):
        trial.handle_error(TuneError(f"killed: {number}\nmore"))
        assert ray_compat.error_of(trial) == f"killed: {number}"


def test_an_error_of_a_callback_is_its_last_line():
    error = TuneError("Traceback (most recent call last):\n  File ...\nKeyError: 'x'\n")
    assert ray_compat.tune_error_message(error) == "KeyError: 'x'"
    assert ray_compat.tune_error_message(ValueError("one\ntwo")) == "ValueError: one"
    assert ray_compat.tune_error_message(SystemExit()) == "SystemExit"


class Searcher(tune.search.SearchAlgorithm):
    """Hands out trials as long as there are any."""

    def __init__(self, trials: list[Trial]):
        self.trials = trials

    def next_trial(self):
        return self.trials.pop(0) if self.trials else None


@pytest.fixture
def controller(tmp_path):
    """Tune's controller with trials that have ended, one that has failed, and one that is new."""
    experiment = tune.experiment.Experiment("study", "nothing", storage_path=str(tmp_path))
    storage = experiment.storage
    return TuneController(storage=storage, search_alg=Searcher([]), scheduler=None, callbacks=[])


@pytest.mark.usefixtures("trial")
def test_tune_forgets_what_has_ended_and_nothing_else(controller):
    trials = [Trial("nothing", stub=True, trial_id=name) for name in "abcd"]
    for trial in trials:
        controller.add_trial(trial)
    for trial, status in zip(trials, [Trial.TERMINATED, Trial.ERROR, Trial.RUNNING], strict=False):
        controller._set_trial_status(trial, status)
    before = len(gc.get_referrers(trials[0]))
    ray_compat.forget_ended(controller._wrapped())
    assert controller.get_trials() == trials[2:]
    assert controller.get_live_trials() == set(trials[2:])
    assert not controller.is_finished()
    assert before - len(gc.get_referrers(trials[0])) == 4
    again = Trial("nothing", stub=True, trial_id="b")
    controller.add_trial(again)
    ray_compat.forget_ended(controller._wrapped())
    assert controller.get_trials() == [*trials[2:], again]


@pytest.mark.usefixtures("trial")
def test_of_many_trials_tune_forgets_some_at_a_time(controller):
    trials = [Trial("nothing", stub=True, trial_id=str(number)) for number in range(18)]
    for trial in trials:
        controller.add_trial(trial)
        controller._set_trial_status(trial, Trial.RUNNING)
    for trial, left in ((trials[0], 18), (trials[1], 18), (trials[2], 15)):
        controller._set_trial_status(trial, Trial.TERMINATED)
        ray_compat.forget_ended(controller._wrapped())
        assert len(controller.get_trials()) == left


class Worker:
    def answer(self, text: str) -> str:
        if not text:
            raise ValueError("no text")
        return text


@pytest.fixture(scope="module")
def _ray():
    ray.init(address="local", num_cpus=3, include_dashboard=False, log_to_driver=False)
    yield
    ray.shutdown()


class Heard:
    """Three actors that Tune's manager has started, how to call them, and what was heard."""

    def __init__(self) -> None:
        self.manager = RayActorManager(FixedResourceManager({"CPU": 3}))
        self.events: list[str] = []
        self.controller = SimpleNamespace(
            _tune_controller=SimpleNamespace(_actor_manager=self.manager)
        )
        for _ in range(2):
            ray_compat.ReadyEvents.use(self.controller)
        self.actors = [
            self.manager.add_actor(
                Worker, {}, ResourceRequest([{"CPU": 1}]),
                on_start=lambda actor: self.events.append("started"),
                on_error=lambda actor, error: self.events.append("died"),
            )
            for _ in range(3)
        ]  # fmt: skip

    def call(self, actor, text: str) -> ray.ObjectRef:
        before = set(self.manager._actor_task_events.get_futures())
        self.manager.schedule_actor_task(
            actor, "answer", (text,),
            on_result=lambda actor, result: self.events.append(result),
            on_error=lambda actor, error: self.events.append(type(error.cause).__name__),
        )  # fmt: skip
        (future,) = set(self.manager._actor_task_events.get_futures()) - before
        return future

    def hear(self, events: int) -> list[str]:
        """So many events, in alphabetical order."""
        while len(self.events) < events:
            assert self.manager.next(timeout=60)
        heard, self.events = self.events, []
        return sorted(heard)


@pytest.mark.usefixtures("_ray")
def test_all_that_has_happened_is_handed_out_one_by_one():
    heard = Heard()
    assert heard.hear(3) == ["started"] * 3
    one, two, three = heard.actors
    assert not heard.manager.next(timeout=0.01)
    futures = [heard.call(one, "one"), heard.call(two, ""), heard.call(three, "three")]
    ray.wait(futures, num_returns=3)
    for events in (1, 2, 3):
        assert heard.manager.next(timeout=60)
        assert len(heard.events) == events
    assert heard.hear(3) == ["ValueError", "one", "three"]
    assert not heard.manager.next(timeout=0.01)
    heard.call(one, "again")
    assert heard.hear(1) == ["again"]


@pytest.mark.usefixtures("_ray")
def test_what_a_stopped_trial_would_have_reported_is_not_heard():
    heard = Heard()
    heard.hear(3)
    futures = {actor: heard.call(actor, "said") for actor in heard.actors}
    ray.wait(list(futures.values()), num_returns=3)
    assert heard.manager.next(timeout=60)  # the other two are known to be ready now
    (stopped, _) = [
        actor for actor in heard.actors
        if futures[actor] in heard.manager._actor_task_events.get_futures()
    ]  # fmt: skip
    heard.manager.clear_actor_task_futures(stopped)
    heard.manager.remove_actor(stopped, kill=True)
    assert heard.hear(2) == ["said"] * 2
    while heard.manager.num_total_actors > 2:
        heard.manager.next(timeout=1)
    assert not heard.events
