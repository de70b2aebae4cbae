"""Files of a study to which other software appends, which can only write to this machine."""

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from search.storage.store import read_bytes, write_bytes
from studies.paths import StudyPath


class MirroredFiles:
    """The files themselves, or for a study on an object store copies in a temporary folder.

    The copies are put into the store when they have grown. If the process is killed before, nothing
    is lost that matters: Optuna's journal is completed from the study's events, and the log is for
    people.
    """

    def __init__(self, study: StudyPath):
        self._study = study
        self._folder: Path | None = None  # of the copies
        self._put: dict[str, int] = {}  # name -> bytes that are in the store

    def file(self, name: str) -> Path:
        """The file on this machine; a copy begins as the store has it.

        Raises:
            OSError: the store cannot be read.
        """
        if isinstance(self._study, Path):
            return self._study / name
        self._folder = self._folder or Path(tempfile.mkdtemp(prefix="copytask-study-"))
        path = self._folder / name
        if name not in self._put:
            content = b""
            with suppress(FileNotFoundError):
                content = read_bytes(self._study / name)
                path.write_bytes(content)
            self._put[name] = len(content)
        return path

    def put(self) -> None:
        """Put into the store what has grown.

        Raises:
            OSError: it cannot be written.
        """
        if self._folder is None:
            return
        for name, size in self._put.items():
            path = self._folder / name
            if path.exists() and path.stat().st_size != size:
                content = path.read_bytes()
                write_bytes(self._study / name, content)
                self._put[name] = len(content)

    def close(self, put: bool = True) -> None:
        """Put it there for the last time, if that is wanted and can be done; remove the copies."""
        if self._folder is None:
            return
        if put:
            with suppress(OSError):
                self.put()
        shutil.rmtree(self._folder, ignore_errors=True)
