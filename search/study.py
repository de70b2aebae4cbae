"""A study directory: made, resumed and kept readable at every moment."""

import csv
import json
import os
import platform
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

import study_format as files
from copytask import compiled_kernels
from copytask.checkpoint import load_state
from search.config import StudyConfig, override, read_yaml
from search.errors import UserError

Row = dict[str, Any]


class Study:
    """The files of one study, see :mod:`study_format`, and their rows in memory.

    Every file is rewritten as a whole and atomically, so that a reader, or a search that is
    killed, never meets half a file.
    """

    def __init__(self, path: Path, config: StudyConfig):
        self.path = path
        self.config = config
        self.trials: dict[str, Row] = {}  # by trial_id, in the order in which they started
        self.progress: dict[tuple[str, int], Row] = {}  # by trial_id and iteration
        self.best: dict[int, Row] = {}  # by T
        self.elapsed_seconds = 0.0  # wall time that earlier runs of this search took

    @classmethod
    def create(cls, path: Path, config: StudyConfig) -> "Study":
        """Make the directory of a new study.

        Raises:
            UserError: it exists, or cannot be written.
        """
        study = cls(path, config)
        try:
            path.mkdir(parents=True)
            study.write()
            # Last, for it is what makes a folder a study: its other files are there by then.
            header = "# Written by search.run: the resolved configuration and its provenance.\n"
            document = {
                "schema_version": files.SCHEMA_VERSION,
                "config": config.model_dump(mode="json"),
                "provenance": provenance(config.search.seed),
            }
            write_atomically(
                path / files.STUDY_FILE, header + yaml.safe_dump(document, sort_keys=False)
            )
        except OSError as error:
            raise UserError(f"cannot write the study {path}: {error.strerror}") from None
        return study

    @classmethod
    def load(cls, path: Path) -> "Study":
        """Read the directory of an earlier study.

        Raises:
            UserError: there is none, or its files cannot be read.
        """
        if not (path / files.STUDY_FILE).is_file():
            raise UserError(f"no study to resume at {path}; start it without --resume")
        document = read_yaml(path / files.STUDY_FILE)
        if document.get("schema_version") != files.SCHEMA_VERSION:
            raise UserError(
                f"{path / files.STUDY_FILE} has schema version "
                f"{document.get('schema_version')}; this program reads {files.SCHEMA_VERSION}"
            )
        study = cls(
            path, override(document.get("config") or {}, [], {}, str(path / files.STUDY_FILE))
        )
        study.trials = {row["trial_id"]: row for row in read_rows(path / files.TRIALS_FILE)}
        study.progress = {
            (row["trial_id"], row["iteration"]): row
            for row in read_rows(path / files.PROGRESS_FILE)
        }
        study.best = {row["T"]: row for row in read_rows(path / files.BEST_FILE)}
        if (path / files.STATE_FILE).is_file():
            study.elapsed_seconds = json.loads((path / files.STATE_FILE).read_text())[
                "elapsed_seconds"
            ]
        return study

    def start_trial(self, training: Mapping[str, Any], trial_id: str) -> None:
        """Note a trial that has started, or that goes on after a restart."""
        row = self.trials.setdefault(trial_id, {"trial_id": trial_id})
        row["status"] = files.INTERRUPTED
        columns = {*files.TRIALS_COLUMNS, *self.config.dimensions()}
        row.update({name: value for name, value in training.items() if name in columns})

    def add_result(self, trial_id: str, result: Mapping[str, Any]) -> None:
        """Note an evaluation of a trial; the trial's row keeps its best one."""
        row = self.trials[trial_id]
        identity = {name: row[name] for name in ("model", "task", "T", "trial_id")}
        # A trial that was restored repeats iterations: they replace the earlier rows.
        self.progress[trial_id, result["iteration"]] = {
            **{name: result[name] for name in files.PROGRESS_COLUMNS if name in result},
            **identity,
        }
        for name in ("parameters", "tokens", "seconds", "tokens_to_solve", "seconds_to_solve"):
            row[name] = result[name]
        if result["validation_accuracy"] >= row.get("validation_accuracy", 0.0):
            row["validation_accuracy"] = result["validation_accuracy"]
            row["ladder_accuracy"] = result["ladder_accuracy"]

    def end_trial(self, trial_id: str, status: str, error: str | None = None) -> None:
        """Note how a trial ended."""
        self.trials[trial_id]["status"] = status
        self.trials[trial_id]["error"] = error

    def trials_at(self, T: int) -> list[Row]:
        """The trials at T in the order in which they started."""
        return [row for row in self.trials.values() if row["T"] == T]

    def last_progress(self, trial_id: str) -> Row:
        """The latest evaluation of a trial; empty if there is none."""
        rows = (row for row in reversed(self.progress.values()) if row["trial_id"] == trial_id)
        return next(rows, {})

    def solved_trials(self, T: int) -> int:
        """How many trials have solved T."""
        return sum(row.get("tokens_to_solve") is not None for row in self.trials_at(T))

    def ranked(self, T: int) -> list[Row]:
        """The evaluated trials at T, best first: by accuracy at T, then by tokens to solve."""
        evaluated = [
            row
            for row in self.trials_at(T)
            if row["status"] != files.FAILED and row.get("validation_accuracy") is not None
        ]
        return sorted(
            evaluated,
            key=lambda row: (
                -row["validation_accuracy"],
                row["tokens_to_solve"] or float("inf"),
                row["tokens"],
            ),
        )

    def best_checkpoint(self, row: Row) -> Path:
        """The checkpoint, under Ray's folder, of a trial's best evaluation.

        Ray keeps a trial's best and its latest checkpoint; after an interruption the best one
        that is complete is taken.
        """
        folder = self.path / files.RAY_FOLDER / f"T={row['T']}" / row["trial_id"]
        found: list[tuple[float, int, Path]] = []
        for checkpoint in folder.glob("checkpoint_*"):
            iteration = load_state(checkpoint)["progress"]["iteration"]
            evaluation = self.progress.get((row["trial_id"], iteration), {})
            found.append((evaluation.get("validation_accuracy", 0.0), iteration, checkpoint))
        return max(found)[2]

    def add_best(self, row: Row, checkpoint: Path, test_scores: Mapping[str, Any]) -> None:
        """Keep a T's best trial: its checkpoint and its row with the scores of the test."""
        T = row["T"]
        kept = Path(files.CHECKPOINTS_FOLDER) / f"T={T}"
        shutil.copytree(checkpoint, self.path / kept, dirs_exist_ok=True)
        self.best[T] = row | {
            **{name: test_scores[name] for name in files.BEST_COLUMNS if name in test_scores},
            "trials": len(self.trials_at(T)),
            "checkpoint": kept.as_posix(),
        }
        self.write()

    def write(self) -> None:
        """Rewrite the CSV files."""
        extra = [name for name in self.config.dimensions() if name not in files.TRIALS_COLUMNS]
        write_rows(
            self.path / files.TRIALS_FILE, (*files.TRIALS_COLUMNS, *extra), self.trials.values()
        )
        write_rows(self.path / files.PROGRESS_FILE, files.PROGRESS_COLUMNS, self.progress.values())
        best = [self.best[T] for T in sorted(self.best)]
        write_rows(self.path / files.BEST_FILE, (*files.BEST_COLUMNS, *extra), best)

    def write_state(self, elapsed_seconds: float) -> None:
        """Keep the time that the search has used, for a resumed one."""
        state = {"elapsed_seconds": round(elapsed_seconds, 3)}
        write_atomically(self.path / files.STATE_FILE, json.dumps(state) + "\n")


def write_atomically(path: Path, text: str) -> None:
    """Replace a file's content in one step."""
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text)
    os.replace(partial, path)


def write_rows(path: Path, columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Replace a CSV file in one step; None becomes an empty cell."""
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    os.replace(partial, path)


def read_rows(path: Path) -> list[Row]:
    """Read what :func:`write_rows` wrote: numbers as numbers, empty cells as None."""
    if not path.is_file():
        return []
    with path.open(newline="") as file:
        return [{k: _parse_cell(v) for k, v in row.items()} for row in csv.DictReader(file)]


def _parse_cell(text: str) -> int | float | str | None:
    if text == "":
        return None
    for parse in (int, float):
        try:
            return parse(text)
        except ValueError:
            continue
    return text


def provenance(seed: int) -> Row:
    """Where and with what a study was made."""
    packages = ("torch", "ray", "optuna", "numpy")
    return {
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "seed": seed,
        "python": platform.python_version(),
        "packages": {name: version(name) for name in packages},
        "git_revision": _git_revision(),
        "host": platform.node(),
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
        "kernels": compiled_kernels() or "none",
    }


def _git_revision() -> str | None:
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return result.stdout.strip() or None
