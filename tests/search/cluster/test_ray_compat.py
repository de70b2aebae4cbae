"""What the search knows of Ray's inside is still so in the version that is installed."""

import gc
import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest
import ray
from ray import tune
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
