import shutil
from pathlib import Path

import pytest

from copytask import TrainingConfig
from search.errors import UnsharedStorageError
from search.execute.trainable import METRICS, STATUS, CopyTrainable, check_host
from search.study.checkpoints import saved_iterations
from studies import format as files


def settings(folder, reported=0, **changes) -> dict:
    values = {
        "model": "gru", "T": 2, "task": "sequence", "hidden_size": 8, "batch_size": 4,
        "tokens_per_iteration": 200, "max_tokens": 1000, "validation_payloads": 8,
        "precision": "fp32", **changes,
    }  # fmt: skip
    return {
        "training": TrainingConfig(**values).to_dict(),
        "study": str(folder.parent),
        "checkpoints": str(folder),
        "reported": reported,
        "metrics": ["iteration", "ladder_accuracy"],
        "threads": 1,
        "gpus": 0,
    }


def run(trainable: CopyTrainable, iterations: int = 100) -> list[dict]:
    """Results until the trial ends, or so many."""
    results = []
    while len(results) < iterations and not (results and results[-1]["done"]):
        results.append(trainable.train())
    return results


def test_a_trial_reports_after_its_checkpoint_and_ends_completed(tmp_path):
    trainable = CopyTrainable(settings(tmp_path))
    for iteration in range(1, 6):
        (result,) = run(trainable, 1)
        assert result[METRICS].iteration == result["iteration"] == iteration
        assert result["ladder_accuracy"] == result[METRICS].ladder_accuracy
        assert saved_iterations(tmp_path)[-1] == iteration
    assert (result["done"], result[STATUS]) == (True, files.COMPLETED)


@pytest.mark.parametrize("reported", [0, 2, 3, 5])
def test_what_the_search_has_not_heard_of_is_reported_before_training_goes_on(tmp_path, reported):
    whole = [result[METRICS] for result in run(CopyTrainable(settings(tmp_path / "whole")))]
    run(CopyTrainable(settings(tmp_path / "cut")), 3)  # and then its worker is gone
    results = run(CopyTrainable(settings(tmp_path / "cut", reported)))
    if reported <= 3:
        assert [r["iteration"] for r in results] == list(range(reported + 1, 6))
    else:  # the checkpoint is older than what is known: it is repeated, which does no harm
        assert [r["iteration"] for r in results] == [4, 5]
    assert [r["done"] for r in results] == [False] * (len(results) - 1) + [True]
    for result in results:
        expected = whole[result["iteration"] - 1]
        assert result[METRICS].training_loss == expected.training_loss
        assert result[METRICS].tokens == expected.tokens


def test_a_trial_that_diverges_says_so_and_leaves_the_worker_usable(tmp_path):
    trainable = CopyTrainable(settings(tmp_path / "a", learning_rate=1e4))
    last = run(trainable)[-1]
    assert (last["done"], last[STATUS]) == (True, files.FAILED)
    assert last["error"].startswith("training diverged")
    assert trainable.reset_config(settings(tmp_path / "b"))
    assert run(trainable)[-1][STATUS] == files.COMPLETED


def test_a_trial_on_a_host_that_does_not_see_the_study_does_not_begin(tmp_path):
    study = tmp_path / "study"
    study.mkdir()
    spec = settings(study / "trial")
    shutil.rmtree(study)
    with pytest.raises(UnsharedStorageError, match=r"does not see .*: use a --storage that all"):
        CopyTrainable(spec).step()
    assert not study.exists()


@pytest.mark.skipif(not Path("/proc/version").exists(), reason="needs Linux")
def test_a_host_that_cannot_write_to_the_storage_is_told():
    with pytest.raises(UnsharedStorageError, match=r"host .* cannot write to /proc: "):
        check_host(Path("/proc/version"))
