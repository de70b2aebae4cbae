"""Files of a study on an object store to which software appends that knows only this machine."""

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from search.storage.store import read_bytes, write_bytes
from studies.paths import StudyPath


class MirroredFiles:
    """Copies of such files in a temporary folder, put into the store when they have grown.

    What the store lacks when the process is killed is not missed: Optuna's journal is completed
    from the study's events, and the log is for people.
    """

    def __init__(self, study: StudyPath):
        self._study = study
        self._folder = Path(tempfile.mkdtemp(prefix="copytask-study-"))
        self._put: dict[str, int] = {}  # name -> bytes that are in the store

    def file(self, name: str) -> Path:
        """The copy on this machine, as the store has it at first.

        Raises:
            OSError: the store cannot be read.
        """
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
        for name, size in self._put.items():
            path = self._folder / name
            if path.exists() and path.stat().st_size != size:
                content = path.read_bytes()
                write_bytes(self._study / name, content)
                self._put[name] = len(content)

    def close(self, put: bool = True) -> None:
        """Put it there for the last time, if that is wanted and can be done; remove the copies."""
        if put:
            with suppress(OSError):
                self.put()
        shutil.rmtree(self._folder, ignore_errors=True)
