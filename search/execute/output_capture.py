"""Keeps the chatter of Ray and its C++ processes out of the console and in a log file."""

import os
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO

from studies.patient_console import PatientConsole


class OutputCapture:
    """Sends file descriptors 1 and 2 to a log, and gives a console on the real output.

    Ray's processes write to the descriptors themselves, so replacing sys.stdout would not
    catch them. The log begins in a temporary file, since what belongs to a study must not be
    written before the study is known to be sound.
    """

    def __enter__(self) -> "OutputCapture":
        sys.stdout.flush()
        sys.stderr.flush()
        self._saved = [os.dup(1), os.dup(2)]
        self._log: IO[bytes] = tempfile.TemporaryFile()
        self._point_to(self._log.fileno())
        self.console = PatientConsole(file=os.fdopen(os.dup(self._saved[0]), "w"))
        return self

    def move_to(self, path: Path) -> None:
        """Continue the log in a file, after what was captured so far."""
        log = path.open("ab")
        self._log.seek(0)
        log.write(self._log.read())
        log.flush()
        self._log.close()
        self._log = log
        self._point_to(log.fileno())

    def __exit__(self, *exception: object) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        for descriptor, saved in zip((1, 2), self._saved, strict=True):
            os.dup2(saved, descriptor)
            os.close(saved)
        with suppress(BrokenPipeError):
            self.console.file.close()
        self._log.close()

    def _point_to(self, target: int) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        for descriptor in (1, 2):
            os.dup2(target, descriptor)
