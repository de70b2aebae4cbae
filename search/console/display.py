"""What a running search prints: a live view on a terminal, plain lines into a pipe."""

import logging
import math

from rich.console import Console
from rich.live import Live
from rich.text import Text

from search.console.formats import (
    clock,
    describe,
    end_reason,
    millions,
    number,
    race_outcome,
)
from search.console.how_far import how_far
from search.console.live_view import LiveView
from search.console.search_more import search_more
from search.console.tables import best_table, confirmed, confirmed_table
from search.study.listener import Listener, Progress
from search.study.records import TrialRecord
from search.study.study import Study
from studies import format as files
from studies.seed_statistics import BEST_OF_MANY


class Display(Listener):
    """Shows a study during its search.

    A terminal shows overall progress with the time left, the running trials, the best so far at
    each T, and the trials that were stopped. A pipe gets one line for each trial that ends and each
    T that is done.

    Args:
        quiet: show the summary only.

    Attributes:
        view: what the terminal shows.
    """

    def __init__(self, study: Study, console: Console, quiet: bool = False):
        self.view = LiveView(study.history)
        self._study = study
        self._history = study.history
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
        """Print a line above the live view; with ``always``, even if quiet."""
        if self._quiet and not always:
            return
        # A Text has neither markup nor highlights. Options of print would also apply to the live
        # view, which is drawn again below each line.
        self._console.print(Text(message), soft_wrap=True)

    def note(self, message: str, always: bool = False) -> None:
        """Print a line above the live view, with the time since the study started."""
        self.say(f"{clock(self._study.elapsed())} {message}", always)

    def length_began(self, T: int, seconds: float) -> None:
        """Say which T is searched now, and for how long at most."""
        self.view.doing = f"T={T}"
        self.view.running.clear()  # trials that were cut off with the T before
        limit = f", at most {clock(max(0.0, seconds))}" if math.isfinite(seconds) else ""
        beyond = "" if T in self._study.config.T else f"T={T // 2} is solved, on to "
        self.note(f"{beyond}T={T}: {self._study.config.search.trials} trials{limit}")

    def nothing_left(self) -> None:
        """Say which limits to raise to continue."""
        self.say("nothing to do; raise a limit to continue")
        for what, command in search_more(self._history, self._study.path):
            self.say(f"{what}:\n  {command}")

    def racing_began(self, seconds: float) -> None:
        """Say who races now, and for how long at most."""
        search = self._study.config.search
        self.view.running.clear()
        self.view.doing = "racing"
        limit = f", at most {clock(max(0.0, seconds))}" if math.isfinite(seconds) else ""
        self.note(f"racing: the best at each T train with {search.race_seeds} fresh seeds{limit}")

    def race_ended(self, T: int) -> None:
        """Say who has won the race at T, and with how many seeds."""
        self.note(f"T={T}: {race_outcome(self._history, T)}")

    def trainings_began(self) -> None:
        """Say what follows the search at all T."""
        search = self._study.config.search
        self.view.running.clear()
        again = any(length.live for length in self._history.lengths.values())
        parts = ["failed trials again"] * again + ["final training"] * search.final
        parts += [f"confirmation with {search.confirm_seeds} seeds"] * bool(search.confirm_seeds)
        self.view.doing = " and ".join(parts) or "interrupted trainings"
        self.note(f"{self.view.doing} at each T")

    def length_ended(self, T: int) -> None:
        """Say why the search at T is over if it has no result; else :meth:`best_changed` does."""
        if self._history.winner(T) is None:
            self.best_changed(T)

    def best_changed(self, T: int) -> None:
        """Say why the search at T is over, and the test result of its best trial."""
        best = self._history.best.get(T)
        result = (
            f"test {best.accuracy:.4f} "
            f"[{best.accuracy_low:.4f}, {best.accuracy_high:.4f}] by {best.trial_id}"
            if best
            else "no result"
        )
        self.note(f"T={T}: {result}; {end_reason(self._history, T)}")

    def trial_started(self, trial: TrialRecord) -> None:
        """Show the trial among the running ones."""
        if trial.id not in self.view.running:
            self.view.running.append(trial.id)

    def trial_ended(self, trial: TrialRecord) -> None:
        """Say how the trial ended; one more line if it is a final training that did not solve T."""
        self._stops_running(trial)
        if trial.status == files.INTERRUPTED:  # cut off with the search at its T
            return
        outcome = trial.error or (
            f"accuracy {number(trial.validation_accuracy)} {millions(trial.tokens)} "
            f"{describe(self._history, trial)}"
        )
        self._trial_line(f"{trial.id} {trial.status:13} {outcome}", whole=not trial.error)
        if trial.stage == files.FINAL and not trial.solved:
            best = self._history.winner(trial.T)
            stays = f"; {best.id} stays the best" if best else ""
            self.note(f"T={trial.T}: {trial.id} has not solved it{stays}")

    def trial_retried(self, trial: TrialRecord, reason: str) -> None:
        """Say where the trial resumes, and why."""
        self._stops_running(trial)
        self._trial_line(f"{trial.id} resumes from iteration {len(trial.curve)}: {reason}")

    def _stops_running(self, trial: TrialRecord) -> None:
        if trial.id in self.view.running:
            self.view.running.remove(trial.id)

    def _trial_line(self, text: str, whole: bool = False) -> None:
        line = f"{clock(self._study.elapsed())} {text}"
        fits = whole or len(line) <= 80 or self._console.width > 80
        self.say(line if fits else line[:79] + "…")

    def slots_changed(self, slots: int) -> None:
        """Show the number of slots beside the number of running trials."""
        self.view.slots = slots

    def progressed(self, progress: Progress) -> None:
        """Show the progress at the top."""
        self.view.progress = progress

    def summary(self) -> None:
        """Print the best trial of each T, and the results of its configuration with fresh seeds."""
        self.say("")
        self._console.print(best_table(self._history, "Best trial of each T"))
        if lines := how_far(self._history):
            self.say("\n".join(["", *lines]), always=True)
        if summaries := confirmed(self._history):
            self._console.print("", confirmed_table(summaries), "", sep="\n")
            self._console.print(BEST_OF_MANY, highlight=False)


class LogLines(logging.Handler):
    """Prints warnings of the search, such as that a store or the head does not answer."""

    def __init__(self, display: Display):
        super().__init__(logging.WARNING)
        self._display = display

    def emit(self, record: logging.LogRecord) -> None:
        """Print a record."""
        self._display.note(record.getMessage(), always=record.levelno >= logging.ERROR)
