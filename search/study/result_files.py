"""The tables of a study, kept up to date while it is searched."""

import time

from search.study.listener import Listener, Progress
from search.study.study import Study

WRITE_INTERVAL = 2.0
"""Seconds between two rewrites of the tables while trials run; more if they take long."""

WRITE_SHARE = 0.02
"""Largest share of the time that goes into rewriting the tables."""


class ResultFiles(Listener):
    """Rewrites a study's tables every few seconds, and whenever a result must be in them.

    Its methods raise OSError if a table cannot be written.
    """

    def __init__(self, study: Study):
        self._study = study
        self._next_write = time.monotonic() + WRITE_INTERVAL

    def progressed(self, progress: Progress) -> None:
        """Write the tables if that is due."""
        now = time.monotonic()
        if now >= self._next_write:
            self._study.write()
            took = time.monotonic() - now
            self._next_write = now + max(WRITE_INTERVAL, took / WRITE_SHARE)

    def best_changed(self, T: int) -> None:
        """Write the tables."""
        self._study.write()

    def run_ended(self) -> None:
        """Write the tables."""
        self._study.write()

    def study_ended(self) -> None:
        """Write the tables."""
        self._study.write()
