import shutil
from pathlib import Path

import pytest

from copytask import TrainingConfig
from search.errors import UnsharedStorageError
from search.execute.trainable import METRICS, STATUS, CopyTrainable, check_host
from search.study.checkpoints import saved_iterations
from studies import format as files


def settings(folder, reported=0, grouped=False, rungs=(), **changes) -> dict:
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
        "rungs": rungs,
        "group_seconds": 60.0 if grouped else 0.0,
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
        [metrics] = result[METRICS]
        assert metrics.iteration == result["iteration"] == iteration
        assert result["ladder_accuracy"] == metrics.ladder_accuracy
        assert saved_iterations(tmp_path)[-1] == iteration
    assert (result["done"], result[STATUS]) == (True, files.COMPLETED)


@pytest.mark.parametrize("reported", [0, 2, 3, 5])
def test_what_the_search_has_not_heard_of_is_reported_before_training_goes_on(tmp_path, reported):
    whole = [result[METRICS][0] for result in run(CopyTrainable(settings(tmp_path / "whole")))]
    run(CopyTrainable(settings(tmp_path / "cut")), 3)  # and then its worker is gone
    results = run(CopyTrainable(settings(tmp_path / "cut", reported)))
    if reported <= 3:
        assert [r["iteration"] for r in results] == list(range(reported + 1, 6))
    else:  # the checkpoint is older than what is known: it is repeated, which does no harm
        assert [r["iteration"] for r in results] == [4, 5]
    assert [r["done"] for r in results] == [False] * (len(results) - 1) + [True]
    for result in results:
        expected = whole[result["iteration"] - 1]
        [metrics] = result[METRICS]
        assert metrics.training_loss == expected.training_loss
        assert metrics.tokens == expected.tokens


@pytest.mark.parametrize(
    ("rungs", "groups"),
    [
        ([], [[1, 2, 3, 4, 5]]),
        ([2, 4, 8], [[1, 2], [3, 4], [5]]),
        ([2, 3], [[1, 2], [3], [4], [5]]),
        ([1], [[1], [2], [3], [4], [5]]),
    ],
)
def test_results_are_grouped_up_to_the_next_rung(tmp_path, rungs, groups):
    results = run(CopyTrainable(settings(tmp_path, grouped=True, rungs=rungs)))
    found = [[metrics.iteration for metrics in result[METRICS]] for result in results]
    assert found == groups
    assert [result["iteration"] for result in results] == [group[-1] for group in found]
    assert [result["done"] for result in results] == [False] * (len(results) - 1) + [True]
    assert saved_iterations(tmp_path)[-1] == 5


def test_after_a_lost_worker_what_the_search_lacks_comes_before_training_goes_on(tmp_path):
    run(CopyTrainable(settings(tmp_path)), 3)
    results = run(CopyTrainable(settings(tmp_path, reported=1, grouped=True)))
    assert [[m.iteration for m in result[METRICS]] for result in results] == [[2, 3], [4, 5]]


def test_while_a_group_trains_the_best_model_that_the_search_knows_is_kept(tmp_path):
    training = {"max_tokens": 3000, "curriculum_length": 10, "learning_rate": 0.02}
    grouped = CopyTrainable(settings(tmp_path, grouped=True, rungs=[3, 99], **training))
    (first,) = run(grouped, 1)
    best = max(first[METRICS], key=lambda m: (m.validation_accuracy, m.iteration)).iteration
    (second,) = run(grouped, 1)
    assert len(second[METRICS]) > 5
    assert best in saved_iterations(tmp_path)


def test_a_group_that_ends_with_a_divergence_has_what_came_before(tmp_path):
    training = {"learning_rate": 5.0, "max_tokens": 100_000}
    alone = run(CopyTrainable(settings(tmp_path / "alone", **training)))
    assert len(alone) > 1
    (result,) = run(CopyTrainable(settings(tmp_path / "grouped", grouped=True, **training)))
    assert (result["done"], result[STATUS]) == (True, files.FAILED)
    assert [m.iteration for m in result[METRICS]] == [r["iteration"] for r in alone[:-1]]
    assert result["error"] == alone[-1]["error"]


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
