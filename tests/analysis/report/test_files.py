"""What is written agrees with itself, and with the learning curves that it is from."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from rich.console import Console
from study_files import NOT_SOLVED, trial, write_csv, write_study

from analysis import load_studies
from analysis.report.console import comparison_table
from analysis.report.files import file_contents
from analysis.report.markdown import markdown
from analysis.tables.comparison import compare_studies
from analysis.tables.registry import TABLES, make_tables
from studies import format as files
from studies.columns import PROGRESS

CURVE = [0.1, 0.7, 0.991, 0.98, 0.992, 0.996]


def write_curve(folder: Path, row: dict[str, Any], accuracies: list[float]) -> None:
    """Gives the trial this learning curve: 250,000 tokens and 2.5 s an evaluation."""
    points = [
        {
            **{name: row[name] for name in ("model", "task", "T", "trial_id")},
            "iteration": k,
            "tokens": 250_000 * k,
            "seconds": 2.5 * k,
            "validation_accuracy": accuracy,
        }
        for k, accuracy in enumerate(accuracies, start=1)
    ]
    write_csv(folder / files.PROGRESS_FILE, PROGRESS.names, points)


def recomputed(progress: pd.DataFrame) -> dict[str, float]:
    """Scores of a trial from its evaluations alone, by the definitions of the study's files."""
    accuracies = progress["validation_accuracy"].tolist()
    solved = next(k for k in range(5) if min(accuracies[k : k + 2]) >= 0.99)
    return {
        "validation_accuracy": max(accuracies),
        "tokens": progress["tokens"].iloc[-1],
        "seconds": progress["seconds"].iloc[-1],
        "tokens_to_solve": progress["tokens"].iloc[solved],
        "seconds_to_solve": progress["seconds"].iloc[solved],
    }


def test_csv_json_page_and_console_agree_with_the_learning_curves(
    runs: Path, tmp_path: Path
) -> None:
    row = trial(
        100,
        validation_accuracy=0.996,
        tokens=1_500_000,
        seconds=15.0,
        tokens_to_solve=1_250_000,
        seconds_to_solve=12.5,
    )
    folder = write_study(runs, "gru", model="gru", T=[100], trials=[row])
    write_curve(folder, {"model": "gru", "task": "delay", **row}, CURVE)
    studies = load_studies([runs])
    comparison = compare_studies(studies)
    tables = make_tables(studies, comparison)
    expected = recomputed(studies.progress)
    comparison.to_csv(tmp_path / "comparison.csv", index=False)
    written = pd.read_csv(tmp_path / "comparison.csv").iloc[0]
    for name, value in expected.items():
        assert written[name] == value, name
    console = Console(width=200)
    with console.capture() as capture:
        console.print(comparison_table(comparison, []))
    page = markdown(tables, [], [])
    million, seconds = expected["tokens_to_solve"] / 1e6, expected["seconds_to_solve"]
    assert f" {million:.3g} {seconds:.0f} " in " ".join(capture.get().split())
    assert f"| {million:.3g} | {seconds:.0f} | {expected['tokens'] / 1e6:.3g} |" in page
    assert f"| {expected['validation_accuracy']:.4f} | 1 |" in page


@pytest.fixture
def tables(runs: Path) -> dict[str, pd.DataFrame]:
    write_study(runs, "gru", model="gru", trials=[trial(100), trial(200, **NOT_SOLVED)])
    write_study(runs, "mgru", trials=[trial(100, optimizer="sgd")], extra=["optimizer"])
    (write_study(runs, "lstm", model="lstm") / "best.csv").unlink()
    studies = load_studies([runs])
    return make_tables(studies, compare_studies(studies))


def test_every_table_has_the_documented_columns(tables: dict[str, pd.DataFrame]) -> None:
    assert set(tables) == set(TABLES)
    for name, table in tables.items():
        columns = [column for column in table if column != "optimizer"]
        assert columns == list(TABLES[name].names), name


def test_every_column_is_explained(tables: dict[str, pd.DataFrame]) -> None:
    text = file_contents(tables, [], [], [], [])["columns.md"].decode()
    for table in TABLES.values():
        [section] = [part for part in text.split("## ") if part.startswith(f"{table.file}\n")]
        assert [line.split(" | ")[0] for line in section.splitlines() if line[:2] == "| "][2:] == [
            f"| {name}" for name in table.names
        ]
        assert all(column.meaning for column in table.columns)


def test_tables_of_only_broken_studies_are_empty_with_their_columns(runs: Path) -> None:
    (write_study(runs, "lstm", model="lstm") / "trials.csv").unlink()
    studies = load_studies([runs])
    tables = make_tables(studies, compare_studies(studies))
    for name, table in tables.items():
        assert list(table) == list(TABLES[name].names), name
        assert table.empty or name == "comparison"
    json.dumps(tables["comparison"]["state"].tolist())
