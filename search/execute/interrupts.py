"""Ctrl-C and SIGTERM end a search gracefully; a second one ends it at once."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupts:
    """Turns signals into KeyboardInterrupt; while Ray Tune runs, it first lets Tune end.

    Ray Tune's own handler for SIGINT is switched off, so that one place decides.

    Attributes:
        requested: whether Ray Tune should end.
    """

    def __init__(self) -> None:
        self.requested = False
        self._tuning = False

    def install(self) -> None:
        """Install the handlers. Call this again after ray.init, which installs its own."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._handle)

    @contextmanager
    def tuning(self) -> Iterator[None]:
        """Inside this context the first signal sets ``requested`` and the second one raises.

        Raises:
            KeyboardInterrupt: at the end, if there was a signal.
        """
        self._tuning = True
        try:
            yield
        finally:
            self._tuning = False
        if self.requested:
            raise KeyboardInterrupt

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._tuning and not self.requested:
            self.requested = True
        else:
            raise KeyboardInterrupt
