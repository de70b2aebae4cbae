"""The trials of a study in MLflow, as its own client shows them."""

import os
import re
import shutil
from pathlib import Path

import pytest
from logged_runs import in_mlflow
from made_studies import make_config, report, start

from search.study.study import Study
from studies import format as files

pytest.importorskip("mlflow", reason="needs the extra mlflow")
pytest.importorskip("alembic", reason="needs the extra mlflow")

from mlflow import MlflowClient
from sqlalchemy import Engine, event

from search.study.mlflow_runs import STATUS, MlflowRuns


class Killed(BaseException):
    """Stands for the end of the process."""


def kill(*args, **kwargs):
    raise Killed


def write(study: Study) -> None:
    """Write all trials, as a process that resumes does."""
    runs = MlflowRuns(study.path, study.history.space, None)
    for trial in study.history.trials.values():
        runs.write(trial)


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
    shown = in_mlflow(study.path)["a"]
    assert (shown.status, shown.kind) == ("RUNNING", files.SEARCH)
    assert shown.curve == [(p.tokens, p.validation_accuracy) for p in trials["a"].curve]
    assert shown.parameters == {
        "model": "gru", "task": "delay", "T": "5", "seed": "7", "learning_rate": "0.002",
        "hidden_size": "8",
    }  # fmt: skip

    # Another process takes up both; it writes what the first one did not.
    report(study, "a", 3, 0.75, files.STOPPED_EARLY)
    report(study, "b", 1, 0.1)
    study.fail_trial("b", "why")
    for _ in range(2):
        write(study)
    found = in_mlflow(study.path)
    assert {name: (run.status, len(run.curve)) for name, run in found.items()} == {
        "a": ("FINISHED", 3), "b": ("FAILED", 1),
    }  # fmt: skip
    assert found["a"].tags["status"] == files.STOPPED_EARLY

    # A failed trial that runs again takes the place of the first attempt.
    study.restart_trial(trials["b"])
    report(study, "b", 1, 0.3)
    report(study, "b", 2, 0.9, files.COMPLETED)
    write(study)
    shown = in_mlflow(study.path)["b"]
    assert (shown.status, [value for _, value in shown.curve]) == ("FINISHED", [0.3, 0.9])
    study.close()
    assert os.listdir() == ["s"]


@pytest.fixture
def ended(tmp_path) -> Study:
    """A study with a trial that has ended."""
    study = Study.create(tmp_path / "s", make_config())
    start(study, "a")
    report(study, "a", 1, 0.25)
    report(study, "a", 2, 0.5, files.COMPLETED)
    yield study
    study.close()


@pytest.mark.parametrize("method", ["log_batch", "set_tag", "set_terminated"])
def test_a_process_may_be_killed_between_any_two_steps(ended, monkeypatch, method):
    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, method, kill)
        with pytest.raises(Killed):
            write(ended)
    write(ended)
    run = in_mlflow(ended.path)["a"]
    assert (run.status, run.tags[STATUS], len(run.curve)) == ("FINISHED", files.COMPLETED, 2)
    assert run.parameters["learning_rate"] == "0.001"


def test_a_process_may_be_killed_while_the_database_is_made(ended, tmp_path):
    left = tmp_path / "left" / "s"

    def keep_what_a_kill_leaves(connection, cursor, statement, *rest):
        if "_alembic_tmp" in statement and not left.exists():
            shutil.copytree(ended.path, left)

    event.listen(Engine, "after_cursor_execute", keep_what_a_kill_leaves)
    write(ended)
    event.remove(Engine, "after_cursor_execute", keep_what_a_kill_leaves)
    assert [path.name for path in left.rglob("*.db")] == [files.MLFLOW_FILE]
    study = Study.open(left)
    write(study)
    assert len(in_mlflow(study.path)["a"].curve) == 2
    study.close()


def test_studies_of_one_name_share_a_server_and_nothing_else(tmp_path):
    """Both are called alike by default: MODEL-TASK."""
    uri = f"sqlite:///{tmp_path / 'server.db'}"
    studies = [Study.create(tmp_path / name / "s", make_config()) for name in "xy"]
    files_of = [study.path / files.STUDY_FILE for study in studies]
    files_of[1].write_text(re.sub("created: .*", "created: later", files_of[0].read_text()))
    for rate, study in zip((0.001, 0.002), studies, strict=True):
        start(study, "a", learning_rate=rate)
        report(study, "a", 1, rate, files.COMPLETED if rate == 0.001 else "")
        for _ in range(2):
            MlflowRuns(study.path, study.history.space, uri).write(study.history.trials["a"])
        study.close()
    client = MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name("s").experiment_id
    assert sorted(run.data.params["learning_rate"] for run in client.search_runs([experiment])) == [
        "0.001", "0.002",
    ]  # fmt: skip


def test_a_point_that_the_study_lost_and_reports_again_is_there_once(tmp_path):
    """Of a study in an object store, which is killed before it has stored its last event."""
    study, again = (Study.create(tmp_path / name / "s", make_config()) for name in "xy")
    for each in (study, again):
        start(each, "a")
        report(each, "a", 1, 0.25)
    report(study, "a", 2, 0.5)
    write(study)
    runs = MlflowRuns(study.path, study.history.space, None)
    runs.write(again.history.trials["a"])
    report(again, "a", 2, 0.5)
    runs.write(again.history.trials["a"])
    assert [value for _, value in in_mlflow(study.path)["a"].curve] == [0.25, 0.5]
    for each in (study, again):
        each.close()
