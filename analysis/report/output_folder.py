"""Files that are written in one step."""

import os
from pathlib import Path

from studies.errors import InputError
from studies.paths import StudyPath


def make_output_folder(path: Path) -> None:
    """Make the folder if need be.

    Raises:
        InputError: it cannot be made or written.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise InputError(f"--output {path}: is, or is below, a file; name a folder") from None
    except OSError as error:
        raise InputError(f"--output {path} cannot be made: {error.strerror}") from None
    if not os.access(path, os.W_OK):
        raise InputError(f"--output {path} cannot be written: permission denied")


def write_atomically(folder: StudyPath, name: str, content: bytes) -> None:
    """Replace a file in one step, so that a reader never meets half of it.

    Raises:
        InputError: it cannot be written.
    """
    if not isinstance(folder, Path):  # what is written to an object store appears as a whole
        (folder / name).write_bytes(content)
        return
    partial = folder / f".{name}.partial"
    try:
        partial.write_bytes(content)
        os.replace(partial, folder / name)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise InputError(f"{folder / name} cannot be written: {error.strerror}") from None
