"""Writes small study directories without a search."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from points import point

from studies import format as files
from studies.columns import BEST, CONFIRM, PROGRESS, REACH, TRIALS
from studies.event_files import encode
from studies.events import Event, LengthBegan, LengthEnded, Result, TrialFailed, TrialStarted

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


DIVERGED: Row = {**NOT_SOLVED, "status": files.FAILED, "error": "training diverged"}


def seed(number: int, T: int = 100, accuracy: float | str = 0.995, **values: Any) -> Row:
    """A row of confirm.csv: the winner of :func:`write_study` at T trained with a fresh seed."""
    row = trial(T, number) | {
        "model": "mgru", "task": "delay", "trial_id": f"T{T}-confirm-{number:02}",
        "confirms": f"T={T}-00", "accuracy": accuracy, "accuracy_low": 0.99,
        "accuracy_high": 0.999, "exact_match": 0.9, "recalled_bits": 33.0,
    }  # fmt: skip
    chosen = {name: row[name] for name in CONFIRM.names if name in row}
    return chosen | values


def confirm(study: Path, *seeds: Row) -> None:
    """Write confirm.csv of a study."""
    write_csv(study / files.CONFIRM_FILE, CONFIRM.names, seeds)


def reached(T: int, solved: int = 2, **values: Any) -> Row:
    """A row of reach.csv: a T that two of four trials have solved."""
    row = {
        "model": "mgru", "task": "delay", "T": T, "solved": int(solved), "trials": 4,
        "tokens": 20_000 * T, "seconds": T / 5, "tokens_to_solve": 6_000 * T,
        "seconds_to_solve": 0.06 * T, "best_trial": f"T={T}-00", "recalled_bits": 33.0,
        "parameters": 12345, "state_floats": 66, "limit": "solved_trials",
    }  # fmt: skip
    if not solved:
        row |= {"tokens_to_solve": "", "seconds_to_solve": "", "limit": "trials"}
    return row | values


def reach(study: Path, *rows: Row) -> None:
    """Write reach.csv of a study."""
    write_csv(study / files.REACH_FILE, REACH.names, rows)


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
    search: Row | None = None,
    limit: str = "trials",
    chance: float | None = None,
) -> Path:
    """Writes the study runs/NAME and returns its folder.

    ``search`` adds to the section of its configuration; ``limit`` has ended the search at each T;
    ``chance`` is the accuracy of guessing, which old studies do not record.

    It has one trial a T unless ``trials`` says otherwise. T in ``best`` (default: all that have
    a trial) get a row in best.csv, of their first trial.
    """
    folder = runs / name
    folder.mkdir(parents=True)
    config = {"model": model, "task": task, "T": list(T), "search": {"trials": 4} | (search or {})}
    config["training"] = {"precision": "bf16"}
    config["space"] = {
        "learning_rate": {"low": 1e-4, "high": 1e-2, "log": True},
        "hidden_size": {"choices": [64, 128]},
        "curriculum_length": {"low": 100, "high": 1000, "log": True},
    }
    made = provenance or {}
    document = {"schema_version": files.SCHEMA_VERSION, "config": config, "provenance": made}
    document |= {} if chance is None else {"chance_accuracy": chance}
    (folder / files.STUDY_FILE).write_text(yaml.safe_dump(document))
    identity = {"model": model, "task": task}
    rows = [identity | row for row in (map(trial, T) if trials is None else trials)]
    progress = [
        {name: row[name] for name in PROGRESS.names if name in row}
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
    write_csv(folder / files.TRIALS_FILE, (*TRIALS.names, *extra), rows)
    write_csv(folder / files.PROGRESS_FILE, PROGRESS.names, progress)
    write_csv(folder / files.BEST_FILE, (*BEST.names, *extra), tested)
    (folder / files.EVENTS_FILE).write_bytes(b"".join(map(encode, events(rows, T, limit))))
    return folder


def events(rows: Sequence[Row], lengths: Sequence[int], limit: str) -> list[Event]:
    """The events of a search with one slot, ten seconds a trial, one of them between two."""
    clock = 0.0
    found: list[Event] = []
    for T in lengths:
        at_length = [row for row in rows if row["T"] == T]
        if not at_length:
            continue
        found.append(LengthBegan(elapsed=clock, T=T, initial=[]))
        for row in at_length:
            clock += 1
            name, stage = row["trial_id"], row.get("stage", files.SEARCH)
            found.append(TrialStarted(elapsed=clock, trial_id=name, training=row, stage=stage))
            for k in range(1, 5):
                clock += 2.5
                ends = k == 4 and row["status"] not in (files.FAILED, files.INTERRUPTED)
                found.append(
                    Result(
                        elapsed=clock, trial_id=name, metrics=point(k, k / 4.1),
                        parameters=12345, status=row["status"] if ends else "",
                    )
                )  # fmt: skip
            if row["status"] == files.FAILED:
                found.append(TrialFailed(elapsed=clock, trial_id=name, error="diverged"))
        found.append(LengthEnded(elapsed=clock, T=T, limit=limit, value=len(at_length)))
    return found
