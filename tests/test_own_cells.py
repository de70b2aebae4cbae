"""A model and a task in files of their own, outside of the project, searched on real Ray."""

import os
import shutil
from pathlib import Path

import pytest
from searches import ROOT, read, run

from studies import format as files

CELL = """
from torch import nn

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
    (tmp_path / "mine" / "mixed.py").write_text(CELL)
    (tmp_path / "tiny.yaml").write_text(TINY)
    monkeypatch.setenv("PYTHONPATH", str(ROOT), prepend=os.pathsep)
    return tmp_path


@pytest.mark.slow
def test_a_model_and_a_task_in_files_are_searched_resumed_replayed_and_compared(home):
    for example in ("causal_convolution.py", "running_sum.py"):
        shutil.copy(ROOT / "examples" / example, home / "mine")
    names = ("causal_convolution.py:CausalConvolution", "running_sum.py:RunningSum")
    model, task = (home / "mine" / name for name in names)
    code, out, err = run(
        "search.run", "--config", "tiny.yaml", "--T", 3, "--trials", 1, "--model",
        f"mine/{names[0]}", "--task", f"mine/{names[1]}", "--set", "space.window={choices: [2, 4]}",
        cwd=home,
    )  # fmt: skip
    assert (code, err) == (0, "")
    assert f"{names[0]} on {names[1]}" in out
    study = home / "runs" / "causal_convolution.CausalConvolution-running_sum.RunningSum"
    (row,) = read(study / files.BEST_FILE)
    assert row["model"] == str(model)

    resume = ["search.run", "--name", study.name, "--storage", study.parent, "--resume"]
    code, _, err = run(*resume, "--trials", 2)
    assert code == 2
    assert f"if you trust it, add --model {model}" in err
    trusted = ["--model", os.path.relpath(model, ROOT), "--task", os.path.relpath(task, ROOT)]
    code, _, err = run(*resume, "--trials", 2, *trusted)
    assert (code, err) == (0, "")
    rows = read(study / files.TRIALS_FILE)
    assert [row["status"] for row in rows] == [files.COMPLETED] * 2
    assert {row["window"] for row in rows} <= {"2", "4"}

    replay = ["search.run", "--replay", study, rows[0]["trial_id"], "--model", model]
    code, _, err = run(*replay)
    assert code == 2
    assert f"if you trust it, add --task {task}" in err
    code, out, err = run(*replay, "--task", task)
    assert (code, err) == (0, "")
    assert "iterations as recorded" in out

    code, out, err = run("search.generalize", study, "--T", 6, "--payloads", 5, "--allow-import")
    assert (code, err) == (0, "")
    code, out, err = run("analysis.compare", study, "--output", home / "reports")
    assert (code, err) == (0, "")
    assert all(part in out for part in names[0].split(":"))  # a narrow table has it on two lines
    assert str(home / "mine") not in out
    compared = read(home / "reports" / "comparison.csv")
    assert {row["label"] for row in compared} == {names[0]}


def test_a_broken_cell_leaves_no_study(home):
    code, _, err = run("search.run", "--model", "mine/mixed.py:BatchFirst", cwd=home)
    assert code == 2
    assert err.startswith(f"error: the cell '{home}/mine/mixed.py:BatchFirst' mixes the sequences")
    assert err.count("\n") == 1
    assert not (home / "runs").exists()
