"""A study as it is on disk or in a store, for reading only: also while it is searched."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from copytask.error_lines import error_line, reason_line
from search.config.reading import recorded_config
from search.config.study_config import StudyConfig
from search.errors import UserError, unknown
from search.storage.csv_tables import Row, read_rows
from search.storage.lock import is_locked
from search.storage.store import children, parse_storage
from search.study.event_log import study_segments
from search.study.history import History
from search.study.reading import read_history
from search.study.records import TrialRecord
from search.study.study_file import read_study_file
from studies import format as files
from studies.event_files import make_record
from studies.events import BestTrial, Point
from studies.finding import is_study, make_a_study
from studies.paths import StudyPath

RUNNING = "running"  # a process searches in it
FINISHED = "finished"  # nothing is left to do, unless a limit is raised
INTERRUPTED = "interrupted"  # --resume goes on with it
BROKEN = "broken"  # cannot be read


@dataclass(frozen=True)
class Overview:
    """What is known of a study.

    Attributes:
        provenance: of study.yaml: versions, host, when it was made.
        state: one of the above but for ``BROKEN``.
        seconds: wall time up to the last event; None of a study without events, which an early
            version made: it can be compared, but not resumed.
    """

    path: StudyPath
    history: History
    provenance: Mapping[str, Any]
    state: str
    seconds: float | None

    def is_done(self, T: int) -> bool:
        """Whether the search at T is over."""
        return T in self.history.best if self.seconds is None else self.history.is_over(T)


def find_studies(storage: StudyPath) -> list[StudyPath]:
    """The directories in the storage that are studies, by name.

    Raises:
        UserError: there is no such storage, or it cannot be read.
    """
    try:
        # An object store has no empty folders, and so no missing ones.
        if isinstance(storage, Path) and not storage.is_dir():
            missing = f"no such folder; {make_a_study(storage)}"
            what = "not a folder" if storage.exists() else missing
            raise UserError(f"--storage {storage}: {what}")
        if is_study(storage):
            raise UserError(f"--storage {storage}: this is a study; name the folder in which it is")
        found = [path for path in children(storage) if path.name[0] != "." and is_study(path)]
    except OSError as error:
        raise UserError(f"--storage {storage} cannot be read: {reason_line(error)}") from None
    return sorted(found, key=lambda path: path.name)


def study_named(storage: StudyPath, name: str) -> StudyPath:
    """The directory of an existing study.

    Raises:
        UserError: there is none of that name.
    """
    try:
        if not set(name) & set("/\\") and name[:1] not in ("", ".") and is_study(storage / name):
            return storage / name
    except OSError as error:  # such as a name that is too long
        raise UserError(f"{storage / name} cannot be read: {reason_line(error)}") from None
    names = [path.name for path in find_studies(storage)]
    if not names:
        raise UserError(f"no study in {storage}; {make_a_study(storage)}")
    raise UserError(f"{unknown('study', name, names)} (in {storage})")


def study_at(given: str, storage: StudyPath) -> StudyPath:
    """The directory of a study that is given by its name in the storage, or by its path or address.

    Raises:
        UserError: the storage has none of that name.
    """
    is_path = "/" in given or given.startswith("~")
    return parse_storage(given) if is_path else study_named(storage, given)


def look(path: StudyPath) -> Overview:
    """What is known of the study at ``path``. Nothing is written there, and no lock is taken.

    Raises:
        UserError: it cannot be read; says what is broken.
    """
    document = read_study_file(path)
    config = recorded_config(document.get("config"), str(path / files.STUDY_FILE))
    seconds = None
    try:
        chance = files.recorded_chance(document, str(path / files.STUDY_FILE))
        if study_segments(path):
            history = read_history(path, config, chance)
            seconds = history.elapsed
            complete = history.complete
        else:
            history = history_of_tables(path, config, chance)
            complete = set(config.T) <= set(history.best)
        locked = is_locked(path)
    except OSError as error:
        raise UserError(f"{error.filename or path} cannot be read: {reason_line(error)}") from None
    except ValueError as error:
        raise UserError(str(error)) from None
    except (KeyError, TypeError) as error:
        raise UserError(f"{path} has damaged files: {error_line(error)}") from None
    state = RUNNING if locked else FINISHED if complete else INTERRUPTED
    return Overview(path, history, files.recorded_provenance(document), state, seconds)


def history_of_tables(study: StudyPath, config: StudyConfig, chance_accuracy: float) -> History:
    """What the tables tell of a study that was made before there were events.

    Raises:
        OSError: one of them cannot be read.
        KeyError, TypeError: one lacks a column, or a cell.
    """
    history = History(config, chance_accuracy)
    curves: dict[str, list[Row]] = {}
    for row in read_rows(study / files.PROGRESS_FILE):
        curves.setdefault(row["trial_id"], []).append(row)
    for row in read_rows(study / files.TRIALS_FILE):
        history.add_ended(trial_of_tables(row, curves.get(row["trial_id"], [])))
    for row in read_rows(study / files.BEST_FILE):
        history.best[row["T"]] = make_record(BestTrial, row)
    return history


def trial_of_tables(row: Row, curve: Sequence[Row]) -> TrialRecord:
    """A trial with this row in trials.csv and these in progress.csv."""
    trial = TrialRecord(
        row["trial_id"],
        row["T"],
        row,
        status=row["status"],
        error=row["error"] or "",
        parameters=row["parameters"],
        state_floats=row.get("state_floats"),
        ended=True,
    )
    # Only trials.csv has when the trial solved T.
    solved = {name: row[name] for name in ("tokens_to_solve", "seconds_to_solve")}
    for point in curve:
        trial.add(make_record(Point, point | solved))
    return trial
