"""Where a new study is created: by one process, so that it appears as a whole."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from copytask.error_lines import reason_line
from copytask.training.checkpoint import sync_folder
from search.errors import UserError
from search.storage.lock import LOCK_FILE, Lock, lock_study
from search.storage.store import children, read_bytes, remove_tree
from search.study.event_log import study_segments
from studies import format as files
from studies.event_files import whole_lines
from studies.paths import StudyPath

UNFINISHED = {
    LOCK_FILE, files.EVENTS_FILE, files.TRIALS_FILE, files.PROGRESS_FILE, files.BEST_FILE
}  # fmt: skip
"""What there may be of a study whose making was cut off."""


def holds_study(path: StudyPath) -> bool:
    """Whether there is a study at this path.

    Raises:
        UserError: it cannot be read.
    """
    return files.STUDY_FILE in _names(path)


def check_free(path: StudyPath) -> None:
    """See whether a study can be made at this path: nothing is there, an empty folder, or a study
    whose making was cut off.

    Raises:
        UserError: something else is there, or it cannot be read.
    """
    try:
        is_file = isinstance(path, Path) and path.exists() and not path.is_dir()
    except OSError as error:
        raise UserError(f"{path}: {reason_line(error)}; choose another --name") from None
    if is_file:
        raise UserError(f"{path} is a file; choose another --name")
    names = _names(path)
    if files.STUDY_FILE in names:
        raise UserError(
            f"the study {path} exists: continue it with --resume, or choose another --name"
        )
    if names - UNFINISHED or _has_events(path):
        raise UserError(f"{path} holds files, but no {files.STUDY_FILE}; choose another --name")


@contextmanager
def new_place(path: StudyPath) -> Iterator[tuple[StudyPath, Lock]]:
    """Where the files of a new study at ``path`` are to be written, and the lock of the study.

    In a folder, that is another one, which takes its name at the end. An object store cannot
    rename: there study.yaml must be written last, for it makes a study of them.

    Raises:
        UserError: the path is not free, or another process makes a study there.
        OSError: it cannot be written.
    """
    place, lock = _lock_place(path)
    try:
        check_free(path)
        yield place, lock
        if isinstance(path, Path) and isinstance(place, Path):
            for name in UNFINISHED:
                (path / name).unlink(missing_ok=True)
            sync_folder(place)
            place.rename(path)  # takes the place of an empty folder, and of nothing else
            sync_folder(path.parent)
    except BaseException:
        if place != path:
            remove_tree(place)
        lock.release()
        raise


def _lock_place(path: StudyPath) -> tuple[StudyPath, Lock]:
    if not isinstance(path, Path):
        return path, lock_study(path, path)
    place = path.with_name(f".{path.name}.new")
    while True:
        place.mkdir(parents=True, exist_ok=True)
        try:
            return place, lock_study(place, path)
        except FileNotFoundError:  # another process has just made the study, or given up
            continue


def _names(path: StudyPath) -> set[str]:
    try:
        return {child.name for child in children(path)}
    except OSError as error:
        raise UserError(f"{path} cannot be read: {reason_line(error)}") from None


def _has_events(path: StudyPath) -> bool:
    try:
        return any(whole_lines(read_bytes(file)) for file in study_segments(path))
    except OSError as error:
        raise UserError(f"{path} cannot be read: {reason_line(error)}") from None
