"""A model and a task in files of their own, outside of the project, searched on real Ray."""

import os
import shutil
from pathlib import Path

import pytest
from searches import ROOT, read, run

from studies import format as files

CELLS = """
from torch import nn

class LeakyRNN(nn.RNN):
    pass

class BatchFirst(nn.GRU):
    def __init__(self, input_size, hidden_size):
        super().__init__(input_size, hidden_size, batch_first=True)
"""

TINY = """
training: {batch_size: 8, tokens_per_iteration: 4000, max_tokens: 8000, validation_payloads: 16}
space: {learning_rate: {low: 1.0e-4, high: 2.0e-4}, hidden_size: 12, curriculum_length: 0}
search: {budget_minutes: null, test_payloads: 200}
"""


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """A folder that is not the project's."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "leaky.py").write_text(CELLS)
    (tmp_path / "tiny.yaml").write_text(TINY)
    monkeypatch.setenv("PYTHONPATH", str(ROOT), prepend=os.pathsep)
    return tmp_path


@pytest.mark.slow
def test_a_cell_in_a_file_is_searched_resumed_and_compared_from_other_folders(home):
    file = home / "mine" / "leaky.py"
    search = ["search.run", "--config", "tiny.yaml", "--T", 5, "--trials", 1]
    code, out, err = run(*search, "--model", "mine/leaky.py:LeakyRNN", cwd=home)
    assert (code, err) == (0, "")
    assert "leaky.py:LeakyRNN on delay" in out
    assert "T=5: every trial stayed at chance" in out
    study = home / "runs" / "leaky.LeakyRNN-delay"
    (row,) = read(study / files.BEST_FILE)
    assert row["model"] == f"{file}:LeakyRNN"

    where = ["--name", study.name, "--storage", study.parent, "--resume", "--trials", 2]
    code, _, err = run("search.run", *where)
    assert code == 2
    assert f"if you trust it, add --model {file}:LeakyRNN" in err
    model = os.path.relpath(file, ROOT) + ":LeakyRNN"
    code, _, err = run("search.run", *where, "--model", model)
    assert (code, err) == (0, "")
    assert [row["status"] for row in read(study / files.TRIALS_FILE)] == [files.COMPLETED] * 2

    code, out, err = run("search.generalize", study, "--T", 6, "--payloads", 5, "--allow-import")
    assert (code, err) == (0, "")
    code, out, err = run("analysis.compare", study, "--output", home / "reports")
    assert (code, err) == (0, "")
    assert "leaky.py:LeakyRNN" in out
    assert str(home / "mine") not in out


@pytest.mark.slow
def test_a_module_in_the_current_folder_is_found_by_the_workers(home):
    folder = home / "mine"
    search = ["search.run", "--config", home / "tiny.yaml", "--T", 5, "--trials", 1]
    code, _, err = run(*search, "--model", "leaky:LeakyRNN", cwd=folder)
    assert (code, err) == (0, "")
    (row,) = read(folder / "runs" / "leaky.LeakyRNN-delay" / files.TRIALS_FILE)
    assert row["status"] == files.COMPLETED


@pytest.mark.slow
def test_a_model_and_a_task_in_files_are_searched_compared_and_replayed(home):
    for example in ("causal_convolution.py", "running_sum.py"):
        shutil.copy(ROOT / "examples" / example, home / "mine")
    model = ["--model", "mine/causal_convolution.py:CausalConvolution"]
    task = ["--task", "mine/running_sum.py:RunningSum"]
    search = ["search.run", "--config", "tiny.yaml", "--T", 3, "--trials", 2, *model, *task]
    code, out, err = run(*search, "--set", "space.window={choices: [2, 4]}", cwd=home)
    assert (code, err) == (0, "")
    study = home / "runs" / "causal_convolution.CausalConvolution-running_sum.RunningSum"
    rows = read(study / files.TRIALS_FILE)
    assert [row["status"] for row in rows] == [files.COMPLETED] * 2
    assert {row["window"] for row in rows} <= {"2", "4"}

    again = ["search.run", "--replay", study, rows[0]["trial_id"], *model]
    code, _, err = run(*again, cwd=home)
    assert code == 2
    assert f"if you trust it, add --task {home}/mine/running_sum.py:RunningSum" in err
    code, out, err = run(*again, *task, cwd=home)
    assert (code, err) == (0, "")
    assert "iterations as recorded" in out

    code, _, err = run("analysis.compare", study, "--output", home / "reports")
    assert (code, err) == (0, "")
    compared = read(home / "reports" / "comparison.csv")
    assert {row["label"] for row in compared} == {"causal_convolution.py:CausalConvolution"}


def test_a_broken_cell_leaves_no_study(home):
    code, _, err = run("search.run", "--model", "mine/leaky.py:BatchFirst", cwd=home)
    assert code == 2
    assert err.startswith(f"error: the cell '{home}/mine/leaky.py:BatchFirst' mixes the sequences")
    assert err.count("\n") == 1
    assert not (home / "runs").exists()
