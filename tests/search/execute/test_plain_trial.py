"""What a trial spares the driver, with Tune's own storage and errors."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from ray.tune import TuneError
from ray.tune.experiment import Experiment, Trial

from search.cluster import ray_compat
from search.execute.plain_trial import PlainTrial
from search.execute.trainable import METRICS, CopyTrainable


@pytest.fixture
def trial(tmp_path) -> Trial:
    experiment = Experiment("study", CopyTrainable, storage_path=str(tmp_path))

    class Placed(PlainTrial):
        local_path = str(tmp_path / "staging" / "T5-0000")  # by itself only known while Ray runs

    trial = Placed(trial_id="T5-0000", storage=experiment.storage)
    trial.init_local_path()
    assert trial.storage.trial_dir_name == "T5-0000"
    return trial


def test_a_trial_has_a_folder_once_it_has_failed(trial):
    folder = Path(trial.local_path)
    assert not folder.exists()
    trial.handle_error(TuneError("killed: low memory\nmore"))
    assert [file.name for file in folder.iterdir()] == ["error.txt"]
    assert ray_compat.error_of(trial) == "killed: low memory"


def test_a_worker_is_asked_for_nothing_but_its_results(trial):
    worker = SimpleNamespace()  # has no method that could be called
    trial.set_ray_actor(worker)
    assert ray_compat.worker_of(trial) is worker
    assert trial.get_trainable_cls() is CopyTrainable
    trial.update_last_result({"iteration": 3, METRICS: [{"iteration": 3}]})
    assert METRICS not in trial.last_result
    assert trial.last_result["iteration"] == 3
