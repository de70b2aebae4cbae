"""The trials of a study in MLflow, as its own client shows them."""

from pathlib import Path

import pytest
from made_studies import make_config, report, start

from search.study.study import Study
from studies import format as files

pytest.importorskip("mlflow", reason="needs the extra mlflow")
pytest.importorskip("alembic", reason="needs the extra mlflow")

from mlflow import MlflowClient

from search.study.mlflow_runs import MlflowRuns


def shown(study: Study) -> dict:
    """Of each run its status, tags, parameters and curve."""
    client = MlflowClient(tracking_uri=f"sqlite:///{study.path / files.MLFLOW_FILE}")
    (experiment,) = [e for e in client.search_experiments() if e.name == study.path.name]
    found = {}
    for run in client.search_runs([experiment.experiment_id]):
        history = client.get_metric_history(run.info.run_id, "validation_accuracy")
        curve = sorted((point.step, point.value) for point in history)
        assert run.info.run_name not in found
        found[run.info.run_name] = (run.info.status, run.data.params, curve, run.data.tags)
    return found


def test_mlflow_shows_each_trial_once_whatever_was_interrupted(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # --storage is relative by default
    study = Study.create(Path("s"), make_config())
    start(study, "a", learning_rate=0.002)
    start(study, "b")
    trials = study.history.trials
    runs = MlflowRuns(study.path, study.history.space, None)
    report(study, "a", 1, 0.25)
    runs.write(trials["a"])
    report(study, "a", 2, 0.5)
    runs.write(trials["a"])
    status, parameters, curve, tags = shown(study)["a"]
    assert (status, tags["stage"]) == ("RUNNING", files.SEARCH)
    assert [value for _, value in curve] == [0.25, 0.5]
    assert [step for step, _ in curve] == [point.tokens for point in trials["a"].curve]
    assert parameters == {
        "model": "gru", "task": "delay", "T": "5", "seed": "7", "learning_rate": "0.002",
        "hidden_size": "8",
    }  # fmt: skip

    # Another process takes up both; it writes what the first one did not.
    report(study, "a", 3, 0.75, files.STOPPED_EARLY)
    report(study, "b", 1, 0.1)
    study.fail_trial("b", "why")
    for _ in range(2):
        runs = MlflowRuns(study.path, study.history.space, None)
        for trial in trials.values():
            runs.write(trial)
    found = shown(study)
    assert {name: (run[0], len(run[2])) for name, run in found.items()} == {
        "a": ("FINISHED", 3), "b": ("FAILED", 1),
    }  # fmt: skip
    assert found["a"][3]["status"] == files.STOPPED_EARLY

    # A failed trial that runs again takes the place of the first attempt.
    study.restart_trial(trials["b"])
    report(study, "b", 1, 0.3)
    report(study, "b", 2, 0.9, files.COMPLETED)
    MlflowRuns(study.path, study.history.space, None).write(trials["b"])
    status, _, curve, tags = shown(study)["b"]
    assert (status, [value for _, value in curve]) == ("FINISHED", [0.3, 0.9])
    study.close()
