"""Beyond the list of a study, T doubles as long as it is solved: when, and what each T took."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from search.storage.csv_tables import Row

if TYPE_CHECKING:
    from search.study.history import History
    from search.study.records import TrialRecord

FAILURES = 3
"""So many failed trials, before one was evaluated, show that a T beyond the list does not fit."""


def doubled(T: int) -> int:
    """The T that comes after the last one of a study."""
    return 2 * T


def reaches(history: "History") -> bool:
    """Whether the study goes, or has gone, beyond the T of its configuration."""
    return history.config.search.reach > 0 or len(history.lengths) > len(history.config.T)


def next_length(history: "History") -> int | None:
    """The T to search next: the first whose search is not over, or else one beyond them."""
    for T in history.lengths:
        if not history.is_over(T):
            return T
    runs_again = history.lengths[history.last].live  # failed trials, which may still solve it
    return None if runs_again or not _budget_is_left(history) else beyond(history)


def beyond(history: "History") -> int | None:
    """The T to which the study goes on after its last; None if that is not solved, or too far."""
    T, furthest = doubled(history.last), history.config.search.reach
    return T if furthest >= T and history.solvers(history.last) else None


def _budget_is_left(history: "History") -> bool:
    """Whether the budgets leave what it took to solve the last T: the next one takes more.

    With less, a failure would say nothing about the model.
    """
    search, solver = history.config.search, first_to_solve(history, history.last)
    seconds = solver.curve[-1].seconds_to_solve or 0.0 if solver else 0.0
    tokens = solver.tokens_to_solve or 0 if solver else 0
    minutes, most = search.search_minutes, search.search_tokens
    return (minutes is None or history.search_seconds + seconds < 60 * minutes) and (
        most is None or history.tokens + tokens < most
    )


def does_not_fit(history: "History", T: int) -> bool:
    """Whether trials at a T beyond the list fail before they are evaluated, as without memory."""
    length = history.lengths[T]
    if T in history.config.T or length.arrivals:
        return False
    return sum(trial.failed for trial in length.trials) >= FAILURES


def first_to_solve(history: "History", T: int) -> "TrialRecord | None":
    """The trial that has solved T in the fewest tokens; None if T is not solved."""
    return min(history.solvers(T), key=lambda trial: trial.tokens_to_solve or 0, default=None)


def _search_tokens(history: "History", T: int) -> int:
    """The tokens of all trials of the search at T."""
    return sum(trial.tokens or 0 for trial in history.lengths[T].trials)


def _search_seconds(history: "History", T: int) -> float:
    """The wall time of the search at T, so far if it is not over."""
    length = history.lengths[T]
    if length.began is None or length.limit:
        return length.seconds
    return length.seconds + history.elapsed - history.beside - length.began


def reach_rows(history: "History") -> Iterator[Row]:
    """The rows of reach.csv."""
    for T, length in history.lengths.items():
        solver, best, tested = first_to_solve(history, T), history.winner(T), history.best.get(T)
        last = solver.curve[-1] if solver else None
        bits = best.best.recalled_bits if best and best.best else None
        if best and tested and tested.trial_id == best.id:
            bits = tested.recalled_bits
        yield {
            "model": history.config.model,
            "task": history.config.task,
            "T": T,
            "solved": len(history.solvers(T)),
            "trials": len(length.trials),
            "tokens": _search_tokens(history, T),
            "seconds": round(_search_seconds(history, T), 3),
            "tokens_to_solve": last and last.tokens_to_solve,
            "seconds_to_solve": last and last.seconds_to_solve,
            "best_trial": best and best.id,
            "recalled_bits": bits,
            "parameters": best and best.parameters,
            "state_floats": best and best.state_floats,
            "limit": length.limit if history.is_over(T) else "",
            "error": history.last_error(T) if history.all_failed(T) else "",
        }
