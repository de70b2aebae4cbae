"""What a live view looked like when the search last saw it."""

import threading
from collections.abc import Sequence

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.segment import Segment


class Picture:
    """A view that only one thread renders: the one that makes this. Others get its last picture.

    The view reads what the search changes, and a look in the middle of a change could harm both.
    Yet whichever thread prints a line, rich draws the live part again below it.
    """

    def __init__(self, view: RenderableType):
        self._view = view
        self._owner = threading.current_thread()
        self._last: Sequence[RenderableType | Segment] = ()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if threading.current_thread() is self._owner:
            self._last = list(console.render(self._view, options))
        yield from self._last
