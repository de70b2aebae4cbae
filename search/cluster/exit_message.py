"""Prints why a search ended, even if its process was killed."""

import os
import subprocess
import sys
from contextlib import suppress
from typing import NoReturn

WATCHER = """
import sys
text = sys.stdin.read()
if not text.endswith("\\0"):
    print(text.splitlines()[-1], file=sys.stderr)
"""
"""Waits until its stdin ends, then prints the last line, unless a zero byte follows it."""


class ExitMessage:
    """Prints a line on stderr when this process is killed or crashes.

    No Python code runs after a kill -9, after a crash in C, or when Ray ends the process from C++.
    So a second process holds the line, and waits for the end of a pipe that only this process
    writes to. This is a context manager; enter it before stderr is redirected.
    """

    def __enter__(self) -> "ExitMessage":
        self._watcher = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", WATCHER],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
            start_new_session=True,  # so that Ctrl-C in a terminal does not end the watcher
        )  # fmt: skip
        return self

    def set(self, line: str) -> None:
        """Set the line that is printed if this process is killed or crashes."""
        assert self._watcher.stdin
        with suppress(BrokenPipeError):  # the watcher was killed
            os.write(self._watcher.stdin.fileno(), f"{line}\n".encode())

    def exit(self, line: str) -> NoReturn:
        """Print a line and end this process at once, with exit code 1, from any thread."""
        self.set(line)
        self._watcher.communicate()
        os._exit(1)

    def __exit__(self, *exception: object) -> None:
        self._watcher.communicate(b"\0")
