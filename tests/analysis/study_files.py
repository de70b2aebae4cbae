"""Writes small study directories without a search."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

import study_format as files

Row = dict[str, Any]


def write_csv(path: Path, columns: Sequence[str], rows: Sequence[Row]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def trial(T: int, number: int = 0, status: str = files.COMPLETED, **values: Any) -> Row:
    """A trial that solved T after 60 % of its tokens; ``values`` replace and add cells."""
    row = {
        "T": T,
        "trial_id": f"T={T}-{number:02d}",
        "status": status,
        "learning_rate": 0.00123,
        "hidden_size": 64,
        "curriculum_length": 500,
        "seed": number,
        "parameters": 12345,
        "tokens": 10_000 * T,
        "seconds": T / 10,
        "validation_accuracy": 0.9953,
        "ladder_accuracy": 0.997,
        "tokens_to_solve": 6_000 * T,
        "seconds_to_solve": 0.06 * T,
    }
    if status == files.FAILED:
        row |= {"error": "the loss is not finite", "tokens_to_solve": "", "seconds_to_solve": ""}
    return row | values


NOT_SOLVED: Row = {"validation_accuracy": 0.42, "tokens_to_solve": "", "seconds_to_solve": ""}


def write_study(
    runs: Path,
    name: str,
    model: str = "mgru",
    task: str = "delay",
    T: Sequence[int] = (100, 200),
    trials: Sequence[Row] | None = None,
    best: Sequence[int] | None = None,
    extra: Sequence[str] = (),
    provenance: Row | None = None,
) -> Path:
    """Writes the study runs/NAME and returns its folder.

    It has one trial a T unless ``trials`` says otherwise. T in ``best`` (default: all that have
    a trial) get a row in best.csv, of their first trial.
    """
    folder = runs / name
    folder.mkdir(parents=True)
    config = {"model": model, "task": task, "T": list(T), "search": {"trials": 4}}
    made = provenance or {}
    document = {"schema_version": files.SCHEMA_VERSION, "config": config, "provenance": made}
    (folder / files.STUDY_FILE).write_text(yaml.safe_dump(document))
    identity = {"model": model, "task": task}
    rows = [identity | row for row in (map(trial, T) if trials is None else trials)]
    progress = [
        {name: row[name] for name in files.PROGRESS_COLUMNS if name in row}
        | {"iteration": k, "tokens": 2_500 * row["T"] * k, "validation_accuracy": k / 4.1}
        for row in rows
        for k in range(1, 5)
    ]
    first = {row["T"]: row for row in reversed(rows)}
    tested = [
        first[length]
        | {
            "accuracy": 0.991,
            "accuracy_low": 0.989,
            "accuracy_high": 0.993,
            "exact_match": 0.95,
            "recalled_bits": 32.8,
            "trials": sum(row["T"] == length for row in rows),
            "checkpoint": f"checkpoints/T={length}",
        }
        for length in (sorted(first) if best is None else best)
    ]
    write_csv(folder / files.TRIALS_FILE, (*files.TRIALS_COLUMNS, *extra), rows)
    write_csv(folder / files.PROGRESS_FILE, files.PROGRESS_COLUMNS, progress)
    write_csv(folder / files.BEST_FILE, (*files.BEST_COLUMNS, *extra), tested)
    return folder
