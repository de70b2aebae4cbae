import csv
import json
import signal
import subprocess
import sys
import webbrowser
from pathlib import Path

import pytest
from study_files import NOT_SOLVED, trial, write_study

from analysis.compare import main
from analysis.figures.registry import FIGURES
from analysis.tables.registry import TABLES as WRITTEN_TABLES

TABLES = {"index.html", "comparison.json", "comparison.md", "comparison.tex", "columns.md"} | {
    table.file for table in WRITTEN_TABLES.values()
}
LATER = {
    "reach",
    *("solve_rate_vs_T", "seeds_vs_T", "solve_rate_pairs"),
    *("generalization", "tuning_curves", "importance"),
}
"""Figures for which the studies of these tests have no data."""

DRAWN = [spec.name for spec in FIGURES if spec.name not in LATER]


def images(names: list[str]) -> set[str]:
    return {f"{name}.{suffix}" for name in names for suffix in ("png", "svg")}


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def read_rows(output: Path) -> list[dict[str, str]]:
    with (output / "comparison.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "new" / "reports"


def test_writes_tables_and_figures_and_prints_the_table(
    runs: Path, output: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    write_study(runs, "gru-delay", model="gru", trials=[trial(100), trial(200, **NOT_SOLVED)])
    write_study(runs, "mgru-delay", trials=[trial(100)])
    assert main([str(runs), "--output", str(output)]) == 0
    assert names(output) == TABLES | images(DRAWN)
    rows = read_rows(output)
    assert [(row["model"], row["T"], row["state"]) for row in rows] == [
        ("gru", "100", "done"),
        ("mgru", "100", "done"),
        ("gru", "200", "done"),
        ("mgru", "200", "not started"),
    ]
    assert rows[0]["learning_rate"] == "0.00123"
    assert rows[0]["tokens"] == "1000000"
    records = json.loads((output / "comparison.json").read_text())
    assert list(records[0]) == list(rows[0])
    assert records[0]["tokens_to_solve"] == 600_000
    assert records[2]["tokens_to_solve"] is None
    page = (output / "comparison.md").read_text()
    assert all((f"({spec.name}.png)" in page) == (spec.name in DRAWN) for spec in FIGURES)
    assert "Not shown:" in page
    assert "sampled by None, not at random" in page
    captured = capsys.readouterr()
    assert "mgru" in captured.out
    assert f"9 more tables and {len(DRAWN)} figures are in {output}" in captured.out
    assert captured.err == ""


@pytest.mark.usefixtures("one_figure")
def test_two_tasks_have_figures_each(runs: Path, output: Path) -> None:
    write_study(runs, "gru", model="gru", T=[100])
    write_study(runs, "gru-sequence", model="gru", task="sequence", T=[100])
    assert main([str(runs), "--output", str(output)]) == 0
    assert {name for name in names(output) if name.endswith(".png")} == {
        f"accuracy_vs_T_{task}.png" for task in ("delay", "sequence")
    }
    assert "(accuracy_vs_T_sequence.png)" in (output / "comparison.md").read_text()


@pytest.mark.usefixtures("one_figure")
def test_a_running_study_is_shown(
    runs: Path, output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    running = [trial(100), trial(200, 1, "interrupted"), trial(200, 2, "interrupted")]
    write_study(runs, "gru", T=[100, 200, 500], trials=running, best=[100])
    assert main([str(runs), "--output", str(output)]) == 0
    assert [row["state"] for row in read_rows(output)] == [
        "done",
        "searching, or interrupted: 2 trials so far",
        "not started",
    ]
    assert "interrupted:" in capsys.readouterr().out


@pytest.mark.usefixtures("one_figure")
def test_only_broken_studies_still_make_a_comparison(
    runs: Path, output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (write_study(runs, "gru", model="gru") / "trials.csv").unlink()
    (write_study(runs, "mgru") / "study.yaml").unlink()
    assert main([str(runs), "--output", str(output)]) == 0
    assert names(output) == TABLES
    assert {row["state"] for row in read_rows(output)} == {
        "broken: trials.csv is missing",
        "broken: study.yaml is missing",
    }
    out = capsys.readouterr().out
    assert f"broken: {runs / 'gru'}: trials.csv is missing" in out
    assert f"{runs / 'mgru'}: study.yaml is missing" in (output / "comparison.md").read_text()


@pytest.mark.usefixtures("one_figure")
def test_damaged_events_are_warned_of(
    runs: Path, output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_study(runs, "gru", T=[100])
    (folder / "events.jsonl").write_text("{\n")
    assert main([str(runs), "--output", str(output)]) == 0
    said = f"warning: {folder}: what happened when is not known: events.jsonl, line 1"
    assert said in capsys.readouterr().out


@pytest.mark.usefixtures("one_figure")
def test_replaces_its_own_files_and_leaves_others(runs: Path, output: Path) -> None:
    write_study(runs, "gru", T=[100])
    output.mkdir(parents=True)
    (output / "comparison.csv").write_text("old")
    (output / "accuracy_vs_T_sequence.png").write_text("of another task")
    (output / "notes.txt").write_text("mine")
    assert main([str(runs), "--output", str(output)]) == 0
    assert len(read_rows(output)) == 1
    assert (output / "notes.txt").read_text() == "mine"
    assert (output / "accuracy_vs_T_sequence.png").read_text() == "of another task"
    assert not [name for name in names(output) if name.endswith(".partial")]


@pytest.mark.usefixtures("one_figure")
def test_runs_default_to_the_folder_runs(
    runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_study(runs, "gru", T=[100])
    monkeypatch.chdir(tmp_path)
    assert main([]) == 0
    assert names(tmp_path / "reports") > TABLES


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("nowhere", "nowhere does not exist"),
        ("empty", "no study in "),
        ("file", "file is not a folder"),
    ],
)
@pytest.mark.usefixtures("one_figure")
def test_bad_runs_are_one_line_and_write_nothing(
    runs: Path,
    tmp_path: Path,
    output: Path,
    capsys: pytest.CaptureFixture[str],
    where: str,
    message: str,
) -> None:
    write_study(runs, "gru", T=[100])
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    assert main([str(runs), str(tmp_path / where), "--output", str(output)]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert not output.exists()


def test_ctrl_c_is_one_line(
    runs: Path, output: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_study(runs, "gru", T=[100])
    monkeypatch.setattr(
        "analysis.compare.render_all", lambda *_: signal.raise_signal(signal.SIGINT)
    )
    assert main([str(runs), "--output", str(output)]) == 130
    assert capsys.readouterr().err == "interrupted\n"


@pytest.mark.parametrize("below", ["", "reports"])
@pytest.mark.usefixtures("one_figure")
def test_output_that_is_or_is_below_a_file(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], below: str
) -> None:
    write_study(runs, "gru", T=[100])
    (tmp_path / "file").touch()
    output = tmp_path / "file" / below
    assert main([str(runs), "--output", str(output)]) == 2
    assert capsys.readouterr().err == (
        f"error: --output {output}: is, or is below, a file; name a folder\n"
    )


@pytest.mark.usefixtures("one_figure")
def test_output_that_cannot_be_written(
    runs: Path, output: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_study(runs, "gru", T=[100])
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert main([str(runs), "--output", str(output)]) == 2
    assert "cannot be written: permission denied" in capsys.readouterr().err
    assert names(output) == set()


@pytest.mark.usefixtures("one_figure")
def test_a_file_that_cannot_be_replaced(
    runs: Path, output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_study(runs, "gru", T=[100])
    (output / "comparison.csv").mkdir(parents=True)
    assert main([str(runs), "--output", str(output)]) == 2
    assert "comparison.csv cannot be written" in capsys.readouterr().err
    assert names(output) == {"comparison.csv"}


@pytest.mark.usefixtures("one_figure")
def test_open_shows_the_page(runs: Path, output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", opened.append)
    write_study(runs, "gru", T=[100])
    assert main([str(runs), "--output", str(output)]) == 0
    assert opened == []
    assert main([str(runs), "--output", str(output), "--open"]) == 0
    assert opened == [(output / "index.html").as_uri()]


def test_needs_nothing_of_the_search() -> None:
    code = (
        "import sys, analysis.compare; "
        "print({'torch', 'ray', 'search', 'copytask', 'sklearn'} & set(sys.modules))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert result.stdout.strip() == "set()"
