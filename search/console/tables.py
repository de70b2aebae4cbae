"""Tables of a study's best trials: during the search, at its end, and later."""

from collections.abc import Mapping

from rich import box
from rich.table import Table

from copytask import SOLVED_ACCURACY
from search.console.formats import (
    accuracy_interval,
    hyperparameters,
    number,
    searched,
    short_form,
)
from search.study.history import History
from studies.seed_statistics import SeedSummary, summarize_seeds

DOUBT = " !"
DOUBTFUL = f"! solved on validation payloads, but the test accuracy is below {SOLVED_ACCURACY}"

ROOM = 24
"""Characters for hyperparameters in a table that fits into 80 columns; trials.csv has all."""

VALUE = 5
"""Characters of a value, at most; of a learning rate it is one more."""


def shown_hyperparameters(history: History) -> list[str]:
    """The searched hyperparameters that get a column in tables: those for which there is room."""
    shown, room = [], ROOM
    for name in searched(history):
        width = max(len(short_form(name)), VALUE) + 1
        if width <= room:
            shown.append(name)
            room -= width
    return shown


def plain_table(title: str, *columns: str, left: tuple[str, ...] = ()) -> Table:
    """Make an empty table: columns are aligned right, those in ``left`` are aligned left."""
    table = Table(
        title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0),
        show_edge=False,
    )  # fmt: skip
    for name in columns:
        table.add_column(name, justify="left" if name in left else "right", no_wrap=True)
    return table


def best_table(history: History, title: str) -> Table:
    """Make a table of each T's best trial, with a mark where the test contradicts "solved"."""
    names = shown_hyperparameters(history)
    raced = any(length.races for length in history.lengths.values())
    table = plain_table(
        title, "T", "n", "best", *map(short_form, names), "valid.", *["race"] * raced, "test",
        "95 % interval", left=("best",),
    )  # fmt: skip
    for T, length in history.lengths.items():
        trials = length.trials
        best, ranked = history.best.get(T), history.ranked(T)
        if best is None and not ranked:
            table.add_row(str(T), str(len(trials)))
            continue
        trial = history.trials[best.trial_id] if best else ranked[0]
        record = history.race(T).record_of(trial)
        doubt = DOUBT if is_doubtful(history, T) else ""
        table.add_row(
            str(T),
            str(len(trials)),
            trial.id,
            *hyperparameters(history, trial, names),
            number(trial.validation_accuracy),
            *[f"{record.solved} of {record.seeds}" if record else ""] * raced,
            number(best.accuracy) if best else "",
            accuracy_interval(best) + doubt if best else "",
        )
    return table


def is_doubtful(history: History, T: int) -> bool:
    """Whether T counts as solved but the interval of the test accuracy lies below 0.99."""
    best = history.best.get(T)
    if best is None or history.trials[best.trial_id].tokens_to_solve is None:
        return False
    return best.accuracy_high < SOLVED_ACCURACY


def doubts(history: History) -> list[str]:
    """Explain the mark in the table of the best, if it has one."""
    return [DOUBTFUL] * any(is_doubtful(history, T) for T in history.best)


def confirmed(history: History) -> dict[int, SeedSummary]:
    """Summarize the confirmations of each T that has some; one without a model is a guess."""
    summaries = {}
    for T, length in history.lengths.items():
        winner = history.winner(T)
        seeds = [
            trial
            for trial in length.confirmations
            if winner and trial.confirms == winner.id and trial.tested
        ]
        if seeds:
            accuracies = [
                trial.scores.accuracy if trial.scores else history.chance_accuracy
                for trial in seeds
            ]
            summaries[T] = summarize_seeds(accuracies, [trial.solved for trial in seeds])
    return summaries


def rate_interval(summary: SeedSummary) -> str:
    """The 95 % interval of a solve rate."""
    return f"{summary.solve_rate_low:.2f}-{summary.solve_rate_high:.2f}"


def confirmed_table(summaries: Mapping[int, SeedSummary]) -> Table:
    """Make a table of the confirmations at each T."""
    table = plain_table(
        "The same, trained again with fresh seeds",
        "T", "solved", "95 % interval of the share", "median test accuracy", "lowest", "highest",
    )  # fmt: skip
    for T, of in summaries.items():
        table.add_row(
            str(T),
            f"{of.solved}/{of.seeds}",
            rate_interval(of),
            number(of.median),
            number(of.lowest),
            number(of.highest),
        )
    return table
