"""What all studies of a search print to: lines, and on a terminal a live view below them."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console, RenderableType
from rich.live import Live
from rich.text import Text

from search.console.formats import clock
from search.console.picture import Picture

REDRAW_INTERVAL = 0.5
"""Seconds between two looks of the live view at the search, at least."""


class Screen:
    """A console with lines that say when something happened.

    Args:
        console: where to print.
        elapsed: seconds that the studies have used, all together.
        quiet: print results only.
    """

    def __init__(self, console: Console, elapsed: Callable[[], float], quiet: bool = False):
        self._console = console
        self._elapsed = elapsed
        self._quiet = quiet
        self._live: Live | None = None
        self._next_redraw = 0.0

    @contextmanager
    def live(self, view: RenderableType) -> Iterator[None]:
        """Show the view while a search runs, if this is a terminal, and warnings as lines.

        It is drawn again by :meth:`redraw`, and below each line that is printed.
        """
        lines = LogLines(self)
        logging.getLogger("search").addHandler(lines)
        live = Live(Picture(view), console=self._console, auto_refresh=False)
        try:
            if self._console.is_terminal and not self._quiet:
                live.start(refresh=True)
                self._live = live
            yield
            # At the end the summary takes its place; else it is the last that was known.
            live.transient = True
        finally:
            logging.getLogger("search").removeHandler(lines)
            self._live = None
            live.stop()

    def redraw(self) -> None:
        """Draw the live view as the search is now. Call this in the thread of the search."""
        if self._live:
            self._live.refresh()
            self._next_redraw = time.monotonic() + REDRAW_INTERVAL

    def redraw_if_due(self) -> None:
        """The same, unless that was just done: to be called as often as the search comes by."""
        if time.monotonic() >= self._next_redraw:
            self.redraw()

    def say(self, message: str, always: bool = False) -> None:
        """Print a line above the live view; with ``always``, even if quiet."""
        if self._quiet and not always:
            return
        # A Text has neither markup nor highlights. Options of print would also apply to the live
        # view, which is drawn again below each line.
        self._console.print(Text(message), soft_wrap=True)

    def note(self, message: str, always: bool = False, whole: bool = True) -> None:
        """Print a line that begins with the time; if it need not be whole, in 80 columns."""
        line = f"{clock(self._elapsed())} {message}"
        fits = whole or len(line) <= 80 or self._console.width > 80
        self.say(line if fits else line[:79] + "…", always)

    def show(self, *parts: RenderableType) -> None:
        """Print parts of a result below each other."""
        self._console.print(*parts, sep="\n", highlight=False)


class LogLines(logging.Handler):
    """Prints warnings of the search, such as that a store or the head does not answer."""

    def __init__(self, screen: Screen):
        super().__init__(logging.WARNING)
        self._screen = screen

    def emit(self, record: logging.LogRecord) -> None:
        """Print a record."""
        self._screen.note(record.getMessage(), always=record.levelno >= logging.ERROR)
