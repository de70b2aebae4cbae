"""Several models in one command, on real Ray, as a user searches them."""

import json
import shlex
import signal
from pathlib import Path

import pytest
from searches import (
    ROOT,
    SHORT_CELL,
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
def test_a_killed_search_resumes_all_its_studies_as_if_nothing_had_happened(
    together, small, tmp_path
):
    storage = ["--storage", tmp_path / "runs"]
    process = start(*arguments(small, *storage), cwd=tmp_path)
    wait_for(
        lambda: all(results(study) >= 4 for study in studies(tmp_path / "runs")),
        process, pause=0.02,
    )  # fmt: skip
    process.send_signal(signal.SIGKILL)
    _, err = process.communicate()
    command = err.strip().partition("Resume with: ")[2]
    assert command.endswith(" --resume")
    code, _out, err = run(*shlex.split(command)[2:], cwd=tmp_path)
    assert (code, err) == (0, "")
    for killed, whole in zip(studies(tmp_path / "runs"), studies(together[0]), strict=True):
        assert outcome(killed) == outcome(whole)
    rows = json.loads((tmp_path / "reports" / "comparison.json").read_text())
    assert {row["model"] for row in rows} == set(MODELS)


@pytest.mark.slow
def test_interrupted_a_study_can_be_resumed_alone_and_all_of_them_with_one_more(
    together, small, tmp_path
):
    storage = ["--storage", tmp_path / "runs"]
    process = start(*arguments(small, *storage), cwd=tmp_path)
    gru, mgru = studies(tmp_path / "runs")
    wait_for(lambda: results(mgru) >= 2, process, pause=0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert (process.returncode, err) == (130, "")
    assert "interrupted; the results so far are saved. Resume with:" in out
    assert not (tmp_path / "reports").exists()
    code, out, err = run("search.run", "--name", mgru.name, *storage, "--resume", cwd=tmp_path)
    assert (code, err) == (0, "")
    assert outcome(mgru) == outcome(together[0] / mgru.name)
    more = [*arguments(small, *storage, "--resume"), "--model", "lstm", *MODELS][1:]
    code, out, err = run("search.run", *more, cwd=tmp_path)
    assert (code, err) == (0, "")
    assert "mgru nothing to do" in out
    assert outcome(gru) == outcome(together[0] / gru.name)
    assert read(tmp_path / "runs" / "lstm-sequence" / files.BEST_FILE)
    code, out, err = run("search.run", *more, cwd=tmp_path)
    assert (code, err) == (0, "")
    assert out.count("nothing to do") == 3


@pytest.mark.slow
def test_a_broken_cell_fails_alone_in_one_line(small, tmp_path):
    (tmp_path / "cells.py").write_text(SHORT_CELL)
    code, _out, err = run(
        "search.run", "--model", "cells.py:Short", "gru", "--config", small, "--T", 1,
        "--trials", 2, cwd=tmp_path,
    )  # fmt: skip
    assert code == 1
    assert err == (
        "failed: cells.Short-sequence: all 2 trials at T=1 failed; the last error: RuntimeError: "
        "this cell is made for five steps. --resume --retry-failed runs them again\n"
    )
    assert read(tmp_path / "runs" / "gru-sequence" / files.BEST_FILE)
    assert (tmp_path / "reports" / "index.html").exists()


@pytest.mark.slow
def test_trials_of_all_models_run_in_the_same_workers(small, tmp_path):
    process = start(*arguments(small, "--storage", tmp_path / "runs"), cwd=tmp_path)
    seen = set()

    def done() -> bool:
        seen.update(children(process.pid, "ray::CopyTrainable"))
        return process.poll() is not None

    wait_for(done)
    assert process.returncode == 0
    assert len(seen) == 1
