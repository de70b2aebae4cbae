"""Hands what trials have reported to slow software, in a thread of its own.

MLflow takes a tenth of a second for a point, W&B seconds for a trial: the search does not wait.
"""

import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Protocol

from search.study.listener import Listener
from search.study.records import TrialRecord
from studies.wording import counted

DRAIN_SECONDS = 60.0
"""Longest wait for what is still to be written when a run ends."""


class RunWriter(Protocol):
    """Writes trials as runs of some software. It knows what was written before, by any process."""

    def write(self, trial: TrialRecord) -> None:
        """Write what is new of a trial. It may raise anything."""


class RunLog(Listener):
    """Writes each trial that has reported something; of several states of it, the latest.

    What a process that was killed did not write, the next one writes: it begins with all trials.
    Whatever the writer raises is raised here at the next moment.

    Args:
        name: of the software.
        trials: all that there are.
        make_writer: makes the writer; called in the thread.
    """

    def __init__(
        self, name: str, trials: Iterable[TrialRecord], make_writer: Callable[[], RunWriter]
    ):
        self._name = name
        self._make_writer = make_writer
        self._waiting: dict[str, TrialRecord] = {}
        self._changed = threading.Condition()
        self._busy = False
        self._error: BaseException | None = None
        for trial in trials:
            self._add(trial)
        threading.Thread(target=self._write_all, name=f"logger {name}", daemon=True).start()

    def trial_reported(self, trial: TrialRecord) -> None:
        """Let its curve be written."""
        self._add(trial)

    def trial_ended(self, trial: TrialRecord) -> None:
        """Let its ending be written."""
        self._add(trial)

    def run_ended(self) -> None:
        """Wait until all is written."""
        self._drain()

    def study_ended(self) -> None:
        """Wait until all is written."""
        self._drain()

    def _add(self, trial: TrialRecord) -> None:
        if self._error:
            raise self._error
        if trial.curve or trial.ended:
            with self._changed:
                self._waiting[trial.id] = replace(trial, curve=trial.curve.copy())
                self._changed.notify_all()

    def _drain(self) -> None:
        with self._changed:
            done = self._changed.wait_for(
                lambda: self._error or not (self._waiting or self._busy), DRAIN_SECONDS
            )
        if self._error:
            raise self._error
        if not done:
            left = counted(len(self._waiting) + self._busy, "trial")
            raise TimeoutError(f"not written in time: {left}; --resume writes what is missing")

    def _write_all(self) -> None:
        try:
            writer = self._make_writer()
            while True:
                with self._changed:
                    self._busy = False
                    self._changed.notify_all()
                    self._changed.wait_for(lambda: self._waiting)
                    trial = self._waiting.pop(next(iter(self._waiting)))
                    self._busy = True
                writer.write(trial)
        except (Exception, SystemExit) as error:
            with self._changed:
                self._error = error
                self._changed.notify_all()
