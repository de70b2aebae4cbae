import signal
import sys
from pathlib import Path

import pandas as pd
import pytest
from searches import ROOT
from study_files import trial, write_study

from copytask import Purpose, Trainer, TrainingConfig, evaluate, load_model
from copytask.training.checkpoint import load_state, save_state
from search.generalize import main
from studies import format as files
from studies.columns import GENERALIZATION


def write_model(folder: Path, T: int, model: str = "gru", task: str = "delay") -> Path:
    """A model that trained for an iteration, as the best one at T of a study."""
    trainer = Trainer(
        TrainingConfig(model=model, task=task, T=T, hidden_size=8, tokens_per_iteration=500)
    )
    next(iter(trainer))
    path = folder / f"checkpoints/T={T}"
    trainer.save(path)
    return path


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    """The folder of a test's studies."""
    return tmp_path / "runs"


@pytest.fixture
def study(runs: Path) -> Path:
    folder = write_study(runs, "gru", model="gru", T=[5, 9])
    write_model(folder, 5)
    write_model(folder, 9)
    return folder


def test_the_best_models_are_tested_without_training(
    study: Path, runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (study / "checkpoints/T=5/checkpoint.pt").read_bytes()
    assert main([str(runs), "--T", "7", "30", "7", "--payloads", "20", "--seed", "3"]) == 0
    assert (study / "checkpoints/T=5/checkpoint.pt").read_bytes() == before
    frame = pd.read_csv(study / files.GENERALIZATION_FILE, float_precision="round_trip")
    assert list(frame) == list(GENERALIZATION.names)
    assert frame[["T", "test_T"]].values.tolist() == [[5, 7], [5, 30], [9, 7], [9, 30]]
    assert set(frame["payloads"]) == {20}
    model = load_model(study / "checkpoints/T=9")
    scores = evaluate(model, "delay", 30, payloads=20, seed=3, purpose=Purpose.TEST)
    assert frame["accuracy"].iloc[3] == scores.accuracy
    assert frame["accuracy_low"].iloc[3] == scores.accuracy_low
    assert f"30: {scores.accuracy:.3f}" in capsys.readouterr().out


def test_what_cannot_be_tested_is_named_and_the_rest_is_written(
    study: Path, runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (study / "checkpoints/T=9/checkpoint.pt").write_bytes(b"damaged")
    write_study(runs, "new", T=[5], trials=[])
    (write_study(runs, "old", T=[5]) / "best.csv").unlink()
    assert main([str(runs), "--T", "7", "--payloads", "5"]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3
    assert all(line.startswith(f"error: not tested: {runs}") for line in lines)
    assert "T = 9: " in lines[0]
    assert "is not a readable checkpoint" in lines[0]
    assert "no T has a best trial yet" in lines[1]
    assert "best.csv cannot be read: No such file" in lines[2]
    assert pd.read_csv(study / files.GENERALIZATION_FILE)["T"].tolist() == [5]
    assert not (runs / "new" / files.GENERALIZATION_FILE).exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere"], "nowhere does not exist"),
        (["--seed", "-1"], "--seed -1: must be in 0.."),
    ],
)
def test_bad_input_is_one_line(
    study: Path,
    runs: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(runs.parent)
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


@pytest.mark.parametrize("value", ["0", "many"])
def test_lengths_are_whole_numbers_of_1_or_more(
    value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--T", value])
    assert f"{value!r} is not a whole number of at least 1" in capsys.readouterr().err


def test_a_cell_of_one_s_own_that_is_gone_is_named(
    runs: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "own_cells.py").write_text(
        "from torch import nn\n\n\ndef factory(i, h):\n    return nn.RNN(i, h)\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    name = "own_cells:factory"
    folder = write_study(runs, "own", model=name, trials=[trial(5)], T=[5])
    write_model(folder, 5, name)
    arguments = [str(runs), "--T", "6", "--payloads", "5"]
    assert main([*arguments, "--allow-import"]) == 0
    sys.modules.pop("own_cells")
    capsys.readouterr()
    assert main(arguments) == 2
    assert "own_cells" not in sys.modules
    told = capsys.readouterr().err
    assert "the cell 'own_cells:factory'. Loading it runs its code" in told
    assert told.endswith("add --allow-import\n")
    assert told.count("\n") == 1
    monkeypatch.undo()
    assert main([*arguments, "--allow-import"]) == 2
    assert "the cell 'own_cells:factory' cannot be imported" in capsys.readouterr().err


def test_a_task_of_one_s_own_is_imported_only_if_allowed(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    task = f"{ROOT}/examples/running_sum.py:RunningSum"
    folder = write_study(runs, "sum", model="gru", task=task, T=[5])
    write_model(folder, 5, task=task)
    arguments = [str(runs), "--T", "6", "--payloads", "5"]
    assert main(arguments) == 2
    assert f"its task is {task!r}. Loading it runs its code" in capsys.readouterr().err
    assert main([*arguments, "--allow-import"]) == 0
    assert pd.read_csv(folder / files.GENERALIZATION_FILE)["test_T"].tolist() == [6]


def test_lengths_that_the_task_lacks_are_one_line_and_the_others_are_written(
    runs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_study(runs, "pairs", model="gru", task="recall", T=[5])
    write_model(folder, 5, task="recall")
    assert main([str(runs), "--T", "6", "2000", "7", "3000", "--payloads", "5"]) == 2
    told, err = capsys.readouterr()
    assert "6: " in told
    assert err == (
        f"error: not tested: {folder}, T = 5, at test_T = 2000, 3000: the task recall has 1000 "
        "keys, so T <= 1000, but got T=2000; choose other lengths with --T\n"
    )
    assert pd.read_csv(folder / files.GENERALIZATION_FILE)["test_T"].tolist() == [6, 7]


SHORT = """
from torch import nn

class Short(nn.RNN):
    def forward(self, input, state=None):
        if len(input) > 30:
            raise IndexError("no such\\nposition")
        return super().forward(input, state)
"""


def test_a_cell_that_fails_beyond_its_positions_is_one_line_and_the_rest_is_tested(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cells.py").write_text(SHORT)
    name = f"{tmp_path}/cells.py:Short"
    folder = write_study(runs, "a", model=name, T=[5])
    write_model(folder, 5, name)
    later = write_study(runs, "b", model="gru", T=[5])
    write_model(later, 5)
    assert main([str(runs), "--T", "6", "40", "7", "--payloads", "5", "--allow-import"]) == 2
    assert capsys.readouterr().err == (
        f"error: not tested: {folder}, T = 5, at test_T = 40: IndexError: no such; choose other "
        "lengths with --T\n"
    )
    assert pd.read_csv(folder / files.GENERALIZATION_FILE)["test_T"].tolist() == [6, 7]
    assert pd.read_csv(later / files.GENERALIZATION_FILE)["test_T"].tolist() == [6, 7, 40]


def test_a_checkpoint_does_not_choose_another_cell_than_its_study(
    study: Path, runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (study / "evil.py").write_text("raise SystemExit('code of the study ran')")
    monkeypatch.syspath_prepend(str(study))
    state = load_state(study / "checkpoints/T=9")
    state["config"]["model"] = "evil:factory"
    save_state(state, study / "checkpoints/T=9")
    for allowed in ([], ["--allow-import"]):
        assert main([str(runs), "--T", "7", "--payloads", "5", *allowed]) == 2
        assert "holds the model 'evil:factory', not 'gru'" in capsys.readouterr().err


def test_ctrl_c_is_one_line_and_leaves_earlier_results(
    study: Path, runs: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main([str(runs), "--T", "7", "--payloads", "2"]) == 0
    before = (study / files.GENERALIZATION_FILE).read_bytes()
    capsys.readouterr()

    def interrupt(*_: object, **__: object) -> None:
        signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr("search.generalize.evaluate", interrupt)
    assert main([str(runs), "--T", "9"]) == 130
    assert capsys.readouterr().err == (
        "interrupted; studies that were tested before have their results\n"
    )
    assert (study / files.GENERALIZATION_FILE).read_bytes() == before
