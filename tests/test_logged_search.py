"""A search on real Ray that is killed shows each trial once in the software of others."""

from pathlib import Path

import pytest
from logged_runs import PATIENT_WANDB, has_ended, in_mlflow, in_wandb
from searches import read, results, run, start, wait_for

from studies import format as files

pytest.importorskip("mlflow", reason="needs the extra mlflow")
pytest.importorskip("alembic", reason="needs the extra mlflow")
pytest.importorskip("wandb", reason="needs the extra wandb")

import wandb

from search.study.mlflow_runs import UNFINISHED

pytestmark = pytest.mark.slow


def the_database_is_made(study: Path) -> bool:
    return (study / UNFINISHED).exists()


def a_run_is_half_written(study: Path) -> bool:
    """A trial runs, and of two runs of W&B one is whole."""
    try:
        runs = list(study.glob("wandb/offline-run-*/*.wandb"))
    except FileNotFoundError:  # the search removes one that was cut off
        return False
    whole = sum(map(has_ended, runs))
    return 0 < whole < len(runs) and (study / files.MLFLOW_FILE).exists()


def test_a_search_that_is_killed_twice_has_each_trial_once_in_mlflow_and_wandb(
    small, tmp_path, monkeypatch
):
    monkeypatch.setenv("WANDB_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("WANDB_CACHE_DIR", str(tmp_path / "cache"))
    for name, value in PATIENT_WANDB.items():
        monkeypatch.setenv(name, value)
    # As in a notebook, whose service its children would share.
    wandb.init(mode="offline", dir=tmp_path).finish()
    study = tmp_path / "runs" / "gru-sequence"
    resume = [
        "search.run", "--storage", study.parent, "--name", study.name, "--resume",
        "--max-concurrent", 1,
    ]  # fmt: skip
    first = [
        "search.run", "--config", small, "--storage", study.parent, "--max-concurrent", 1,
        "--trials", 4, "--logger", "mlflow", "wandb",
        "--set", "training.tokens_per_iteration=3000",  # it still searches when W&B has two runs
    ]  # fmt: skip
    for command, moment in ((first, the_database_is_made), (resume, a_run_is_half_written)):
        process = start(*command)
        wait_for(lambda moment=moment: moment(study), process, pause=0.02)
        process.kill()
        process.communicate()
    before = results(study)
    out = "not written in time"
    while "not written in time" in out:  # on a busy machine; the line says to resume
        code, out, err = run(*resume)
        assert (code, err) == (0, "")
    assert "failed in" not in out
    assert results(study) > before

    trials = {row["trial_id"]: row for row in read(study / files.TRIALS_FILE)}
    curves: dict[str, list[tuple[int, float]]] = {name: [] for name in trials}
    for row in read(study / files.PROGRESS_FILE):
        curves[row["trial_id"]].append((int(row["tokens"]), float(row["validation_accuracy"])))
    assert len(trials) == 8
    mlflow, offline = in_mlflow(study), in_wandb(study)
    for name, row in trials.items():
        for shown in (mlflow[name], offline[name]):
            assert shown.curve == curves[name]
            assert float(shown.parameters["learning_rate"]) == float(row["learning_rate"])
        assert (mlflow[name].status, mlflow[name].tags["status"]) == ("FINISHED", row["status"])
        assert offline[name].status == row["status"]
    assert set(mlflow) == set(offline) == set(trials)
    assert not (study / UNFINISHED).exists()
