"""What a person sees of a search: a live view on a terminal, plain lines in a pipe."""

import logging
import math

from rich.console import Console
from rich.live import Live
from rich.text import Text

from search.console.formats import clock, describe, end_reason, millions, number
from search.console.live_view import LiveView
from search.console.search_more import search_more
from search.console.tables import best_table, confirmed, confirmed_table
from search.study.history import TrialRecord
from search.study.study import Study
from studies.seed_statistics import BEST_OF_MANY


class Display:
    """Shows a study while it is searched.

    On a terminal: overall progress with the time left, the running trials, the best so far at
    each T, and what was stopped. Elsewhere: one line for each trial that ended and each T that is
    done.

    Args:
        quiet: show the summary only.

    Attributes:
        view: what the terminal shows.
    """

    def __init__(self, study: Study, console: Console, quiet: bool = False):
        self.view = LiveView(study.history)
        self._study = study
        self._console = console
        self._quiet = quiet
        self._live: Live | None = None
        self._log_lines = LogLines(self)

    def __enter__(self) -> "Display":
        logging.getLogger("search").addHandler(self._log_lines)
        if self._console.is_terminal and not self._quiet:
            self._live = Live(self.view, console=self._console, refresh_per_second=2)
            self._live.start()
        return self

    def __exit__(self, *exception: object) -> None:
        logging.getLogger("search").removeHandler(self._log_lines)
        if self._live:
            # At the end the summary takes its place; else it is the last that was known.
            self._live.transient = exception[0] is None
            self._live.stop()
            self._live = None

    def say(self, message: str, always: bool = False) -> None:
        """One line that stays; ``always`` means also when quiet."""
        if self._quiet and not always:
            return
        # A Text has neither markup nor highlights. Options of print would also apply to the live
        # view, which is drawn again below each line.
        self._console.print(Text(message), soft_wrap=True)

    def note(self, message: str, always: bool = False) -> None:
        """One line that stays, with the time of the study."""
        self.say(f"{clock(self.view.elapsed)} {message}", always)

    def length_started(self, T: int, seconds: float) -> None:
        """The search at T begins; it may take so many seconds."""
        self.view.doing = f"T={T}"
        self.view.running.clear()  # trials that were cut off with the T before
        limit = f", at most {clock(max(0.0, seconds))}" if math.isfinite(seconds) else ""
        self.note(f"T={T}: {self._study.config.search.trials} trials{limit}")

    def nothing_left(self) -> None:
        """A study that is resumed is over; what makes it go on."""
        self.say("nothing to do; raise a limit to continue")
        for what, command in search_more(self._study.history, self._study.path):
            self.say(f"{what}:\n  {command}")

    def trainings_started(self) -> None:
        """The search at all T is over; what follows it begins."""
        search = self._study.config.search
        self.view.running.clear()
        again = any(length.live for length in self._study.history.lengths.values())
        parts = ["failed trials again"] * again + ["final training"] * search.final
        parts += [f"confirmation with {search.confirm_seeds} seeds"] * bool(search.confirm_seeds)
        self.view.doing = " and ".join(parts) or "trainings that had begun"
        self.note(f"{self.view.doing} at each T")

    def result(self, T: int) -> None:
        """The search at T is over, why, and the test of its best trial."""
        row = self._study.history.best.get(T)
        result = (
            f"test {row['accuracy']:.4f} "
            f"[{row['accuracy_low']:.4f}, {row['accuracy_high']:.4f}] by {row['trial_id']}"
            if row
            else "no result"
        )
        self.note(f"T={T}: {result}; {end_reason(self._study.history, T)}")

    def final_failed(self, trial: TrialRecord) -> None:
        """A final training is over and has not solved its T."""
        T, best = trial.row["T"], self._study.history.winner(trial.row["T"])
        stays = f"; {best.id} stays the best" if best else ""
        self.note(f"T={T}: {trial.id} has not solved it{stays}")

    def trial_started(self, trial_id: str) -> None:
        """A trial runs from now on."""
        if trial_id not in self.view.running:
            self.view.running.append(trial_id)

    def trial_ended(self, trial_id: str) -> None:
        """A trial is over: one line."""
        if trial_id in self.view.running:
            self.view.running.remove(trial_id)
        row = self._study.history.trials[trial_id].row
        outcome = row.get("error") or (
            f"accuracy {number(row.get('validation_accuracy'))} "
            f"{millions(row.get('tokens'))} {describe(self._study.history, row)}"
        )
        self._trial_line(f"{trial_id} {row['status']:13} {outcome}", whole=not row.get("error"))

    def trial_retried(self, trial_id: str, reason: str) -> None:
        """A trial lost its worker and will go on: one line."""
        if trial_id in self.view.running:
            self.view.running.remove(trial_id)
        done = len(self._study.history.trials[trial_id].curve)
        self._trial_line(f"{trial_id} goes on from iteration {done}: {reason}")

    def _trial_line(self, text: str, whole: bool = False) -> None:
        line = f"{clock(self.view.elapsed)} {text}"
        fits = whole or len(line) <= 80 or self._console.width > 80
        self.say(line if fits else line[:79] + "…")

    def update(self, elapsed: float, fraction: float, left: float) -> None:
        """The search has taken so many seconds, is so far, and has so many seconds to go."""
        self.view.elapsed, self.view.fraction, self.view.left = elapsed, fraction, left

    def summary(self) -> None:
        """The best trial of each T, and what fresh seeds make of its configuration."""
        self.say("")
        self._console.print(best_table(self._study.history, "Best trial of each T"))
        if summaries := confirmed(self._study.history):
            self._console.print("", confirmed_table(summaries), "", sep="\n")
            self._console.print(BEST_OF_MANY, highlight=False)


class LogLines(logging.Handler):
    """Shows what the parts of the search have to say: a store that is away, a head that is gone."""

    def __init__(self, display: Display):
        super().__init__(logging.WARNING)
        self._display = display

    def emit(self, record: logging.LogRecord) -> None:
        """Show a record."""
        self._display.note(record.getMessage(), always=record.levelno >= logging.ERROR)
