"""Several models in one command, on real Ray, as a user searches them."""

import json
import shlex
import signal
from pathlib import Path

import pytest
from searches import (
    ROOT,
    SHORT_CELL,
    SHY_CELL,
    children,
    outcome,
    read,
    results,
    run,
    searched_once,
    start,
    wait_for,
)

from studies import format as files

MODELS = ("gru", "mgru")
SET = ("--set", "mgru.space.hidden_size=8")


@pytest.fixture(autouse=True)
def _from_another_folder(monkeypatch):
    """The report is written to where the command is given."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def arguments(config: Path, *more: object) -> list[object]:
    return [
        "search.run",
        "--model",
        *MODELS,
        "--config",
        config,
        "--max-concurrent",
        1,
        *SET,
        *more,
    ]


@pytest.fixture(scope="module")
def together(small, tmp_path_factory) -> tuple[Path, str]:
    """Two studies that were searched by one command with one worker, and what was printed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.chdir(tmp_path_factory.mktemp("together"))
        return searched_once(tmp_path_factory, "together-runs", *arguments(small), cwd=Path.cwd())


def studies(storage: Path) -> list[Path]:
    return [storage / f"{model}-sequence" for model in MODELS]


def test_each_study_is_as_a_command_of_its_own_makes_it(searched, together):
    gru, mgru = studies(together[0])
    assert outcome(gru) == outcome(searched[0])
    assert {row["hidden_size"] for row in read(mgru / files.TRIALS_FILE)} == {"8"}
    assert sorted(path.name for path in gru.iterdir()) == sorted(
        path.name for path in searched[0].iterdir()
    )
    assert str(gru.parent.name) not in (gru / files.LOG_FILE).read_text()
    assert (mgru / files.LOG_FILE).read_text().startswith("searched beside other studies")


def test_each_line_says_of_which_model_it_is_and_the_studies_are_compared(together):
    out = together[1].splitlines()
    assert "2 studies, 1 trial at a time" in out
    for model in MODELS:
        assert any(line.split()[1:3] == [model, "T=2:"] for line in out)
        assert any(line.startswith(f"Best trial of each T ({model})") for line in out)
    assert any(line.startswith("compare: python -m analysis.compare ") for line in out)
    assert "figures are in reports" in out[-1]
    assert all(len(line) <= 80 for line in out if "/" not in line and "reports" not in line)


@pytest.mark.slow
def test_killed_interrupted_and_resumed_alone_or_with_one_more_each_study_is_as_before(
    together, small, tmp_path
):
    storage = ["--storage", tmp_path / "runs"]
    process = start(*arguments(small, *storage), cwd=tmp_path)
    gru, mgru = studies(tmp_path / "runs")
    wait_for(lambda: min(results(gru), results(mgru)) >= 4, process, pause=0.02)
    process.send_signal(signal.SIGKILL)
    _, err = process.communicate()
    command = err.strip().partition("Resume with: ")[2]
    assert command.endswith(" --resume")

    so_far = results(mgru)
    process = start(*shlex.split(command)[2:], cwd=tmp_path)
    wait_for(lambda: results(mgru) >= so_far + 2, process, pause=0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert (process.returncode, err) == (130, "")
    assert "interrupted; the results so far are saved. Resume with:" in out
    assert not (tmp_path / "reports").exists()

    code, out, err = run("search.run", "--name", mgru.name, *storage, "--resume", cwd=tmp_path)
    assert (code, err) == (0, "")
    assert outcome(mgru) == outcome(together[0] / mgru.name)
    more = [*arguments(small, *storage, "--resume"), "--model", "lstm", *MODELS]
    process = start(*more, cwd=tmp_path)
    workers = set()

    def ended() -> bool:
        workers.update(children(process.pid, "ray::CopyTrainable"))
        return process.poll() is not None

    wait_for(ended)
    out, err = process.communicate()
    assert (process.returncode, err) == (0, "")
    assert len(workers) == 1  # trials of all models run in the same ones, to the end
    assert "mgru nothing to do" in out
    assert outcome(gru) == outcome(together[0] / gru.name)
    assert read(tmp_path / "runs" / "lstm-sequence" / files.BEST_FILE)
    rows = json.loads((tmp_path / "reports" / "comparison.json").read_text())
    assert {row["model"] for row in rows} == {"lstm", *MODELS}
    code, out, err = run(*more, cwd=tmp_path)
    assert (code, err) == (0, "")
    assert out.count("nothing to do") == 3


@pytest.mark.slow
def test_what_is_broken_fails_alone_with_its_reason_and_the_rest_goes_on(
    small, tmp_path, monkeypatch
):
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:1")  # without --address that is no matter
    (tmp_path / "cells.py").write_text(SHORT_CELL + SHY_CELL)
    diverges = "gru.search.initial=[{learning_rate: 1.0e3, curriculum_length: 10}]"
    wide = "gru.space.learning_rate={low: 1.0e-3, high: 1.0e+3, log: true}"
    code, out, err = run(
        "search.run", "--model", "cells.py:Short", "cells.py:Shy", "gru", "--config", small,
        "--T", 1, "--trials", 3, "--seed", 1, "--set", diverges, "--set", wide, cwd=tmp_path,
    )  # fmt: skip
    assert code == 1
    short, shy, gru = (
        tmp_path / "runs" / f"{model}-sequence" for model in ("cells.Short", "cells.Shy", "gru")
    )
    reason = "RuntimeError: this cell is made for five steps"
    log = Path("runs") / short.name / files.LOG_FILE
    assert err.splitlines() == [
        f"failed: {short.name}: all 3 trials at T=1 failed; the last error: {reason}. "
        "When its cause is gone, run them again with: python -m search.run --name "
        f"{short.name} --resume --model {tmp_path}/cells.py:Short --retry-failed",
        f"failed: {shy.name}: RuntimeError: I am shy. The traceback is at the end of {log}; "
        f"resume with: python -m search.run --name {shy.name} --resume --model "
        f"{tmp_path}/cells.py:Shy",
    ]
    assert "Traceback (most recent call last)" in (tmp_path / log).read_text()
    rows = read(short / files.TRIALS_FILE)
    assert [(row["status"], row["error"]) for row in rows] == [(files.FAILED, reason)] * 3
    diverged, *others = read(gru / files.TRIALS_FILE)
    assert diverged["status"] == files.FAILED
    assert diverged["error"].startswith("training diverged: mean loss")
    assert "training diverged" in out
    assert len(others) == 2
    assert len(read(gru / files.BEST_FILE)) == 1
    assert (tmp_path / "reports" / "index.html").exists()
