"""What a terminal shows while several studies are searched side by side: a line for each."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table

from search.console.formats import clock, number
from search.console.live_view import WIDE, LiveView, head_line
from search.console.tables import plain_table
from search.study.history import History
from search.study.limits import most_trials
from search.study.listener import Progress
from studies.format import model_label

LENGTHS_SHOWN = 4
"""Most T that have a column, the last that were begun; twice as many on a wide terminal."""

NAME_WIDTH, DOING_WIDTH = 18, 12
"""Characters of a model's name, and of what its study does now, that fit into 80 columns."""


@dataclass
class StudiesView:
    """Studies during their search, as a rich renderable."""

    views: Sequence[LiveView]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        tasks = {model_label(view.history.config.task): None for view in self.views}
        title = f"{len(self.views)} studies · {', '.join(tasks)}"
        wide = options.max_width >= WIDE
        yield head_line(title, "", self._progress(), wide)
        yield ""
        yield self._table(2 * LENGTHS_SHOWN if wide else LENGTHS_SHOWN)

    def _progress(self) -> Progress:
        """That of all studies: they share the time, so what each has used and has left adds up.

        The shares of their own may be of a race, which begins from nothing.
        """
        used, fractions, left = zip(*(view.progress for view in self.views), strict=True)
        elapsed, to_come = sum(used), sum(left)
        if not math.isfinite(to_come) or elapsed == 0:
            return Progress(elapsed, sum(fractions) / len(fractions), to_come)
        return Progress(elapsed, elapsed / (elapsed + to_come), to_come)

    def _table(self, most: int) -> Table:
        running = sum(len(view.running) for view in self.views)
        lengths = sorted({T for view in self.views for T in begun(view.history)})[-most:]
        table = plain_table(
            f"Studies: {running} of {self.views[0].slots} slots in use",
            "model", "now", "run", "trials", *(f"T={T}" for T in lengths), "left",
            left=("model", "now"),
        )  # fmt: skip
        for view in self.views:
            history, left = view.history, view.progress.left
            now = begun(history)[-1:]
            started = len(history.lengths[now[0]].trials) if now else 0
            table.add_row(
                cut(model_label(history.config.model), NAME_WIDTH),
                cut("done" if history.complete else view.doing, DOING_WIDTH),
                str(len(view.running) or ""),
                f"{started}/{most_trials(history)}",
                *(self._best(view, T) for T in lengths),
                clock(left) if math.isfinite(left) and not history.complete else "",
            )
        return table

    def _best(self, view: LiveView, T: int) -> str:
        """The validation accuracy of the best trial at T so far."""
        ranked = view.history.ranked(T)
        return number(ranked[0].validation_accuracy) if ranked else ""


def begun(history: History) -> list[int]:
    """The T with trials, in ascending order."""
    return sorted(T for T, length in history.lengths.items() if length.trials)


def cut(text: str, width: int) -> str:
    """The text, or its beginning if it is too long."""
    return text if len(text) <= width else text[: width - 1] + "…"
