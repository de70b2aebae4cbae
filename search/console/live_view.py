"""What a terminal shows while a search runs, at any width and height."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.console import Console, ConsoleOptions, RenderResult
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from search.config.sections import METRIC_NAMES
from search.console.formats import clock, hyperparameters, millions, number, short_form
from search.console.sparkline import Sparkline
from search.console.tables import best_table, plain_table, shown_hyperparameters
from search.study.early_stops import Stop, stop_of
from search.study.history import History
from search.study.listener import Progress
from search.study.records import TrialRecord
from studies.events import Point
from studies.format import model_label

WIDE = 160
"""Width from which tables stand side by side and running trials have more columns."""

STOPS_SHOWN = 3
"""Rows of the table of stopped trials; twice as many on a wide terminal."""

TABLE_FRAME = 4
"""Lines of a table in addition to its rows: blank line, title, heading, rule."""


NOTHING_DONE = Progress(0.0, 0.0, math.inf)


@dataclass
class LiveView:
    """A study during its search, as a rich renderable.

    Attributes:
        running: ids of the running trials.
        doing: what the search does now, as the title says it.
        slots: number of trials that can run at once.
        progress: seconds since the start, share of the study that is done, seconds left.
    """

    history: History
    running: list[str] = field(default_factory=list)
    doing: str = ""
    slots: int = 0
    progress: Progress = NOTHING_DONE
    _stops: dict[str, Stop] = field(default_factory=dict)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        wide = options.max_width >= WIDE
        stopped = self.history.stopped[-(2 * STOPS_SHOWN if wide else STOPS_SHOWN) :]
        below: list[Table] = [best_table(self.history, "Best so far")]
        rows = [len(self.history.lengths)]
        if stopped:
            below.append(self._stopped_table(stopped, wide))
            rows.append(len(stopped))
        used = max(rows) + TABLE_FRAME if wide else sum(rows) + TABLE_FRAME * len(rows)
        # More would be cut off at the bottom of the screen, where the best trials are.
        room = max(1, console.height - used - TABLE_FRAME - 2)
        config = self.history.config
        title = f"{model_label(config.model)} · {model_label(config.task)}"
        yield head_line(title, f" · {self.doing}", self.progress, wide)
        yield ""
        yield self._running_table(wide, room)
        if wide:
            side_by_side = Table.grid(padding=(0, 6, 0, 0))
            side_by_side.add_row(*below)
            below = [side_by_side]
        for table in below:
            yield ""
            yield table

    def _running_table(self, wide: bool, room: int) -> Table:
        metric = self.history.config.search.metric
        title = f"Running trials: {len(self.running)} of {self.slots} slots in use"
        shown = self.running if len(self.running) <= room else self.running[: max(1, room - 1)]
        curve = "ladder so far" if metric == "ladder_accuracy" else "at T so far"
        more = ("it.", "loss", "tokens/s", "host") if wide else ()
        names = shown_hyperparameters(self.history)
        table = plain_table(
            title, "trial", *map(short_form, names), "tokens", "length", "ladder", "at T", *more,
            curve if wide else "curve", left=("trial", curve, "curve"),
        )  # fmt: skip
        table.columns[-1].no_wrap = False  # this column shrinks if there is too little room
        for trial_id in shown:
            trial = self.history.trials[trial_id]
            last = trial.last
            table.add_row(
                trial_id,
                *hyperparameters(self.history, trial, names),
                *_reached(last),
                *(_more(trial) if wide else ()),
                self._curve(trial),
            )
        if len(shown) < len(self.running):
            table.add_row(f"and {len(self.running) - len(shown)} more")
        return table

    def _stopped_table(self, stopped: Sequence[TrialRecord], wide: bool) -> Table:
        """Make a table of the trials that were stopped early, the latest first."""
        title = f"Stopped early: {len(self.history.stopped)}, the latest first"
        more = ("curve",) if wide else ()
        names = shown_hyperparameters(self.history)
        table = plain_table(
            title, "trial", *map(short_form, names), "at it.", "had", "needed", *more,
            left=("trial", "curve"),
        )  # fmt: skip
        for trial in reversed(stopped):
            if trial.id not in self._stops:
                self._stops[trial.id] = stop_of(self.history, trial)
            stop = self._stops[trial.id]
            table.add_row(
                trial.id,
                *hyperparameters(self.history, trial, names),
                str(stop.iteration),
                number(stop.value),
                number(stop.needed),
                *((self._curve(trial),) if wide else ()),
            )
        return table

    def _curve(self, trial: TrialRecord) -> Sparkline:
        metric = METRIC_NAMES[self.history.config.search.metric]
        return Sparkline(trial.curve.column(metric))


def head_line(title: str, doing: str, progress: Progress, wide: bool) -> Table:
    """Make the line at the top: what is searched, how far it is, and the time."""
    head = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(4):
        head.add_column(no_wrap=True)
    elapsed, fraction, left = progress
    head.add_row(
        Text.assemble((title, "bold"), doing),
        ProgressBar(total=1, completed=fraction, width=60 if wide else 10),
        f"{fraction:.0%} · {clock(elapsed)}",
        f"about {clock(left)} left" if math.isfinite(left) else "",
    )
    return head


def _reached(last: Point | None) -> tuple[str, ...]:
    """How far a running trial is: tokens, length, both accuracies."""
    if last is None:
        return ("",) * 4
    accuracies = number(last.ladder_accuracy), number(last.validation_accuracy)
    return millions(last.tokens), str(last.max_length), *accuracies


def _more(trial: TrialRecord) -> tuple[str, ...]:
    """Columns of a wide terminal for a running trial: iteration, loss, tokens per second, host."""
    last = trial.last
    if last is None:
        return ("",) * 4
    rate = last.tokens / last.seconds if last.seconds else 0.0
    loss = f"{last.training_loss:.3f}"
    return str(last.iteration), loss, f"{rate / 1000:.0f} k", trial.host
