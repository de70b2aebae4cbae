"""The time that a study has used: wall time, or its share of it while others run beside it."""

import time


class Clock:
    """Seconds of a study, those of its earlier runs included.

    It starts as a clock on the wall. Studies that share slots share the time as well: their clocks
    together run as fast as that one. So a budget means the same for a study alone and for one among
    others.

    Args:
        before: seconds of the earlier runs.
    """

    def __init__(self, before: float):
        self._before = before
        self._since = time.monotonic()
        self._share = 1.0

    def seconds(self) -> float:
        """Seconds that the study has used until now."""
        return self._before + self._share * (time.monotonic() - self._since)

    def run_at(self, share: float) -> None:
        """From now on, count this share of the wall time."""
        if share != self._share:
            self._before = self.seconds()
            self._since = time.monotonic()
            self._share = share
