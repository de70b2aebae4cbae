"""A learning curve in one line of a terminal."""

import math
from collections.abc import Sequence

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.text import Text

BLOCKS = "▁▂▃▄▅▆▇█"

NARROWEST, WIDEST = 5, 80
"""Width of a curve of many values, in characters."""


class Sparkline:
    """A curve of shares from 0 to 1, as wide as its cell; a rich renderable."""

    def __init__(self, shares: Sequence[float]):
        self._shares = shares

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text(sparkline(self._shares, options.max_width), "cyan", no_wrap=True)

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        values = len(self._shares)
        return Measurement(min(NARROWEST, values), min(WIDEST, values))


def sparkline(shares: Sequence[float], width: int) -> str:
    """Draw a curve of shares from 0 to 1 in at most ``width`` characters.

    A longer curve is thinned out evenly; its last value stays the last character.
    """
    count = min(len(shares), width)
    picked = (shares[math.ceil((k + 1) * len(shares) / count) - 1] for k in range(count))
    return "".join(BLOCKS[min(7, max(0, int(8 * share)))] for share in picked)
