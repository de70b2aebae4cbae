"""Says why a search ended when its own process no longer can."""

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
"""Waits until nobody writes to it any more. A zero byte at the end means that all has been said."""


class ExitMessage:
    """Prints a line on stderr when this process is killed or crashes.

    No Python code runs after a kill -9, after a crash in C, or when Ray ends the process from C++.
    A second process then still holds the line: it waits for the end of a pipe that only this one
    writes to. A context manager; begin it before stderr is redirected.
    """

    def __enter__(self) -> "ExitMessage":
        self._watcher = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", WATCHER],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C in a terminal is not for the watcher
        )  # fmt: skip
        return self

    def set(self, line: str) -> None:
        """Set what is printed if this process ends without a word."""
        assert self._watcher.stdin
        with suppress(BrokenPipeError):  # somebody has killed the watcher
            os.write(self._watcher.stdin.fileno(), f"{line}\n".encode())

    def exit(self, line: str) -> NoReturn:
        """Print a line and end this process at once, with exit code 1, from any thread."""
        self.set(line)
        self._watcher.communicate()
        os._exit(1)

    def __exit__(self, *exception: object) -> None:
        self._watcher.communicate(b"\0")
