"""Files of a study for software that can only append to local files."""

import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

from search.storage.store import read_bytes, write_bytes
from studies.paths import StudyPath


class MirroredFiles:
    """The files themselves, or local copies of them if the study is on an object store.

    :meth:`put` uploads the copies that have grown. A killed process loses what was not uploaded.
    That does no harm: Optuna's journal is completed from the study's events, and nothing depends on
    the log.
    """

    def __init__(self, study: StudyPath):
        self._study = study
        self._folder: Path | None = None  # of the copies
        self._put: dict[str, int] = {}  # name -> bytes that are in the store

    def file(self, name: str) -> Path:
        """The local file; a copy starts with the content in the store.

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
        """Upload the copies that have grown.

        Raises:
            OSError: the store cannot be written.
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
        """Upload once more if ``put`` is set and the store can be written; remove the copies."""
        if self._folder is None:
            return
        if put:
            with suppress(OSError):
                self.put()
        shutil.rmtree(self._folder, ignore_errors=True)
