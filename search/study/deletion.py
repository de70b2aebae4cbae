"""Deletes a study."""

import shutil
from contextlib import suppress
from pathlib import Path

from copytask.error_lines import reason_line
from search.errors import UserError
from search.storage.lock import lock_study
from search.storage.store import is_driver_error
from studies import format as files
from studies.paths import StudyPath


def delete_study(path: StudyPath) -> None:
    """Delete a study with all its files, unless a process searches in it.

    study.yaml goes first: what is left if this is cut off counts as broken, and can be deleted.

    Raises:
        UserError: a process searches in it, or it cannot be deleted.
    """
    if isinstance(path, Path) and path.is_symlink():
        raise UserError(f"{path} is a link; delete the study to which it leads: {path.resolve()}")
    try:
        lock = lock_study(path, path)
        try:
            with suppress(FileNotFoundError):
                (path / files.STUDY_FILE).unlink()
            if isinstance(path, Path):
                shutil.rmtree(path)
            else:
                path.fs.rm(path.path, recursive=True)
        finally:
            lock.release()
    except Exception as error:
        if not isinstance(error, OSError) and not is_driver_error(error):
            raise
        raise UserError(f"{path} cannot be deleted: {reason_line(error)}") from None
