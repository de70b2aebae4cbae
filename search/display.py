"""What a person sees of a search: a live view on a terminal, plain lines in a pipe."""

import logging
import math
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

import study_format as files
from search.history import TrialRecord
from search.study import Study
from search.study_files import Row
from seed_statistics import BEST_OF_MANY, SeedSummary, summarize_seeds

STATUS_STYLES = {
    files.COMPLETED: "green",
    files.STOPPED_EARLY: "yellow",
    files.FAILED: "red",
    files.INTERRUPTED: "cyan",
}


class Display:
    """Shows a study while it is searched.

    On a terminal: overall progress with the time left, the running trials and the best so far
    at each T. Elsewhere: one line for each trial that ended and each T that is done.

    Args:
        quiet: show the summary only.
    """

    def __init__(self, study: Study, console: Console, quiet: bool = False):
        self._study = study
        self._console = console
        self._quiet = quiet
        self._running: list[str] = []
        self._doing = ""
        self._elapsed = 0.0
        self._fraction = 0.0
        self._left = math.inf
        self._live: Live | None = None
        self._log_lines = LogLines(self)

    def __enter__(self) -> "Display":
        logging.getLogger("search").addHandler(self._log_lines)
        if self._console.is_terminal and not self._quiet:
            self._live = Live(
                get_renderable=self._view, console=self._console, refresh_per_second=2
            )
            self._live.start()
        return self

    def __exit__(self, *exception: object) -> None:
        logging.getLogger("search").removeHandler(self._log_lines)
        if self._live:
            self._live.stop()
            self._live = None

    def say(self, message: str, always: bool = False) -> None:
        """One line that stays; ``always`` means also when quiet."""
        if self._quiet and not always:
            return
        self._console.print(message, highlight=False, soft_wrap=True, markup=False)

    def note(self, message: str, always: bool = False) -> None:
        """One line that stays, with the time of the study."""
        self.say(f"{clock(self._elapsed)} {message}", always)

    def length_started(self, T: int, seconds: float) -> None:
        """The search at T begins; it may take so many seconds."""
        self._doing = f"T={T}"
        self._running.clear()  # trials that were cut off with the T before
        limit = f", at most {clock(max(0.0, seconds))}" if math.isfinite(seconds) else ""
        self.say(f"{clock(self._elapsed)} T={T}: {self._study.config.search.trials} trials{limit}")

    def trainings_started(self) -> None:
        """The search at all T is over; final trainings and confirmations begin."""
        search = self._study.config.search
        self._running.clear()
        parts = ["final training"] * search.final
        parts += [f"confirmation with {search.confirm_seeds} seeds"] * bool(search.confirm_seeds)
        self._doing = " and ".join(parts) or "trainings that had begun"
        self.say(f"{clock(self._elapsed)} {self._doing} at each T")

    def result(self, T: int) -> None:
        """The search at T is over, why, and the test of its best trial."""
        row = self._study.best.get(T)
        result = (
            f"test {row['accuracy']:.4f} "
            f"[{row['accuracy_low']:.4f}, {row['accuracy_high']:.4f}] by {row['trial_id']}"
            if row
            else "no result"
        )
        self.say(f"{clock(self._elapsed)} T={T}: {result}; {end_reason(self._study, T)}")

    def final_failed(self, trial: TrialRecord) -> None:
        """A final training is over and has not solved its T."""
        T, best = trial.row["T"], self._study.winner(trial.row["T"])
        stays = f"; {best.id} stays the best" if best else ""
        self.say(f"{clock(self._elapsed)} T={T}: {trial.id} has not solved it{stays}")

    def trial_started(self, trial_id: str) -> None:
        """A trial runs from now on."""
        if trial_id not in self._running:
            self._running.append(trial_id)

    def trial_ended(self, trial_id: str) -> None:
        """A trial is over: one line."""
        if trial_id in self._running:
            self._running.remove(trial_id)
        row = self._study.trials[trial_id].row
        outcome = row.get("error") or (
            f"accuracy {number(row.get('validation_accuracy'))} "
            f"{millions(row.get('tokens'))}  {describe(row)}"
        )
        self._trial_line(f"{trial_id} {row['status']:13} {outcome}")

    def trial_retried(self, trial_id: str, reason: str) -> None:
        """A trial lost its worker and will go on: one line."""
        if trial_id in self._running:
            self._running.remove(trial_id)
        done = len(self._study.trials[trial_id].curve)
        self._trial_line(f"{trial_id} goes on from iteration {done}: {reason}")

    def _trial_line(self, text: str) -> None:
        line = f"{clock(self._elapsed)} {text}"
        self.say(line if len(line) <= 80 or self._console.width > 80 else line[:79] + "…")

    def update(self, elapsed: float, fraction: float, left: float) -> None:
        """The search has taken so many seconds, is so far, and has so many seconds to go."""
        self._elapsed, self._fraction, self._left = elapsed, fraction, left

    def summary(self) -> None:
        """The best trial of each T, and what fresh seeds make of its configuration."""
        self._console.print(self._best_table("Best trial of each T"))
        confirmed = self._confirmed()
        if confirmed:
            self._console.print(confirmed_table(confirmed))
            self._console.print(BEST_OF_MANY, highlight=False)

    def _confirmed(self) -> dict[int, SeedSummary]:
        """Of each T whose winner was trained with fresh seeds."""
        summaries = {}
        for T in self._study.config.T:
            winner = self._study.winner(T)
            seeds = [
                trial
                for trial in self._study.lengths[T].confirmations
                if winner and trial.confirms == winner.id and trial.scores is not None
            ]
            if seeds:
                accuracies = [(trial.scores or {}).get("accuracy") for trial in seeds]
                summaries[T] = summarize_seeds(accuracies, [trial.solved for trial in seeds])
        return summaries

    def _view(self) -> RenderableType:
        config = self._study.config
        head = Table.grid(padding=(0, 1))
        left = f"about {clock(self._left)} left" if math.isfinite(self._left) else ""
        head.add_row(
            f"[bold]{config.model} · {config.task}[/] · {self._doing}",
            ProgressBar(total=1, completed=self._fraction, width=20),
            f"{self._fraction:.0%} · {clock(self._elapsed)}",
            left,
        )
        return Group(head, self._running_table(), self._best_table("Best so far"))

    def _running_table(self) -> Table:
        table = _table("Running trials")
        for name in ("trial", "lr", "hidden", "ramp", "tokens", "length", "ladder", "at T"):
            table.add_column(name, justify="left" if name == "trial" else "right")
        for trial_id in self._running:
            trial = self._study.trials[trial_id]
            row, last = trial.row, trial.curve[-1] if trial.curve else {}
            table.add_row(
                trial_id,
                *_hyperparameters(row),
                millions(last.get("tokens")),
                str(last.get("max_length", "")),
                number(last.get("ladder_accuracy")),
                number(last.get("validation_accuracy")),
            )
        return table

    def _best_table(self, title: str) -> Table:
        table = _table(title)
        for name in ("T", "n", "best", "lr", "hidden", "ramp", "valid.", "test", "95 % interval"):
            table.add_column(name, justify="left" if name == "best" else "right")
        for T in self._study.config.T:
            trials = self._study.lengths[T].trials
            ranked = self._study.ranked(T)
            row = self._study.best.get(T) or (ranked[0] if ranked else None)
            if row is None:
                table.add_row(str(T), str(len(trials)))
                continue
            tested = "accuracy" in row
            table.add_row(
                str(T),
                str(len(trials)),
                row["trial_id"],
                *_hyperparameters(row),
                number(row["validation_accuracy"]),
                number(row["accuracy"]) if tested else "",
                f"{row['accuracy_low']:.3f}-{row['accuracy_high']:.3f}" if tested else "",
            )
        return table


class LogLines(logging.Handler):
    """Shows what the parts of the search have to say: a store that is away, a head that is gone."""

    def __init__(self, display: Display):
        super().__init__(logging.WARNING)
        self._display = display

    def emit(self, record: logging.LogRecord) -> None:
        """Show a record."""
        self._display.note(record.getMessage(), always=record.levelno >= logging.ERROR)


def confirmed_table(summaries: Mapping[int, SeedSummary]) -> Table:
    """What fresh seeds make of the best configuration of each T."""
    table = _table("The same, trained again with fresh seeds")
    for name in (
        "T",
        "mean test accuracy",
        "95 % interval",
        "solved",
        "95 % interval of the share",
    ):
        table.add_column(name, justify="right")
    for T, of in summaries.items():
        table.add_row(
            str(T),
            number(of.mean),
            f"{of.mean_low:.3f}-{of.mean_high:.3f}",
            f"{of.solved}/{of.seeds}",
            f"{of.solved_low:.2f}-{of.solved_high:.2f}",
        )
    return table


def end_reason(study: Study, T: int) -> str:
    """Why the search at T ended, or what came after it."""
    if study.best.get(T, {}).get("stage") == files.FINAL:
        return "final training"
    length = study.lengths[T]
    match length.limit:
        case "solved_trials":
            return f"{length.solved} trial{'s' * (length.solved > 1)} solved it"
        case "trials":
            return f"all {len(length.trials)} trials ran"
        case "patience":
            return f"no gain in {length.stale} trials"
    return "its time is over"


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))


def _hyperparameters(row: Mapping[str, Any]) -> tuple[str, str, str]:
    return f"{row['learning_rate']:.1e}", str(row["hidden_size"]), str(row["curriculum_length"])


def describe(row: Row) -> str:
    """A trial's hyperparameters in a few characters."""
    rate, hidden, curriculum = _hyperparameters(row)
    return f"lr {rate} h {hidden} ramp {curriculum}"


def clock(seconds: float) -> str:
    """Seconds as h:mm:ss, or m:ss below an hour."""
    text = str(timedelta(seconds=round(seconds)))
    return text.removeprefix("0:")


def number(value: float | None) -> str:
    """A share with three digits, or nothing."""
    return "" if value is None else f"{value:.3f}"


def millions(tokens: int | None) -> str:
    """Tokens in millions, or nothing."""
    return "" if tokens is None else f"{tokens / 1e6:.1f} M"
