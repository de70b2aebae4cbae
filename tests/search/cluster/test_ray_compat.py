"""What the search knows of Ray's inside is still so in the version that is installed."""

from pathlib import Path

import pytest
import ray
from ray import tune
from ray.exceptions import RayTaskError
from ray.tune import TuneError
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
    in_c = {ray_compat.HEAD_TIMEOUT, ray_compat.RAYLET_PID}
    names = {name.removeprefix("RAY_") for name in in_c}
    assert mentioned(names, [FOLDER / "_raylet.so"]) == names


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
