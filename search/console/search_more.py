"""How to continue a search that has ended: the limits to raise, and the commands."""

import math
from collections.abc import Iterator

from search.config.sections import REACH
from search.console.commands import resume_command
from search.study.history import History
from search.study.reach import doubled
from studies.format import NEXT_T
from studies.paths import StudyPath

REASONS = {
    "solved_trials": "enough trials have solved it",
    "patience": "trials brought no more gain",
    "trials": "all trials have run",
    "budget_minutes": "the time is up",
    "budget_tokens": "the tokens are spent",
    NEXT_T: "--next-T ended it",
}

OPTIONS = {
    "trials": "--trials ",
    "budget_minutes": "--budget-minutes ",
    "budget_tokens": "--budget-tokens ",
}
"""What sets a limit on the command line, where that is not ``--set``."""

RUN_AGAIN = "run failed trials again"


def limits_to_raise(history: History, T: int) -> dict[str, float]:
    """The limits that stop the search at T, each with a value at which it would continue.

    The limit that ended it comes first; others may have been reached as well.
    """
    search, length = history.config.search, history.lengths[T]
    limits = {name: search.limit(name) for name in REASONS if name != NEXT_T}
    at = {name: limit or 0 for name, limit in limits.items()}
    ended = raised_for(length.limit)
    at[ended] = max(at[ended], length.limit_value or 0)
    counts = {
        "solved_trials": length.solved,
        "patience": length.stale,
        "trials": len(length.trials),
        "budget_minutes": history.search_seconds / 60,
        "budget_tokens": history.tokens,
    }
    ends = limits | {"budget_minutes": search.search_minutes, "budget_tokens": search.search_tokens}
    reached = [name for name, limit in ends.items() if limit is not None and counts[name] >= limit]
    return {
        name: counts[name] + at[name] if name in ("solved_trials", "patience")
        else twice(counts[name], at[name])
        for name in dict.fromkeys((ended, *reached))
    }  # fmt: skip


def raised_for(limit: str) -> str:
    """The limit to raise where this one ended a search."""
    return "trials" if limit == NEXT_T else limit


def plain(value: float) -> str:
    """A limit as its option takes it."""
    return str(value) if isinstance(value, int) else f"{value:g}"


def twice(spent: float, limit: float) -> float:
    """A limit that leaves as much again as was spent, or allowed if that is more."""
    return 2 * max(math.ceil(spent), limit)


def race_on(history: History, path: StudyPath) -> Iterator[tuple[str, str]]:
    """Say where a budget ended a race before it was decided, with the command that continues it."""
    cut_off = [T for T in history.lengths if history.race(T).leader]
    if cut_off and history.race_was_cut_off:
        limit, search = history.race_limit, history.config.search
        spent = history.search_seconds / 60 if limit == "budget_minutes" else history.tokens
        more = plain(twice(spent, search.limit(limit) or 0))
        where = f"T={', '.join(map(str, cut_off))}"
        command = f"{resume_command(path, history.config)} {OPTIONS[limit]}{more}"
        yield f"race on at {where}, where {REASONS[limit]}", command


def search_more(history: History, path: StudyPath) -> Iterator[tuple[str, str]]:
    """Say where search and races have ended and why, with the command that continues them.

    Where all trials have failed, more of them would fail as well: those are to run again.

    T with the same limits share a line.
    """
    if failed := [T for T in history.lengths if history.is_over(T) and history.all_failed(T)]:
        yield RUN_AGAIN, f"{resume_command(path, history.config)} --retry-failed"
    yield from race_on(history, path)
    if option := further(history):
        yield (
            f"search beyond T={history.last}, which is solved",
            f"{resume_command(path, history.config)} {option}",
        )
    groups: dict[tuple[str, ...], list[int]] = {}
    for T, length in history.lengths.items():
        if history.is_over(T) and length.limit in REASONS and T not in failed:
            _, *others = limits_to_raise(history, T)
            groups.setdefault((length.limit, *others), []).append(T)
    for reasons, lengths in groups.items():
        raised = [limits_to_raise(history, T) for T in lengths]
        names = list(map(raised_for, reasons))
        highest = {name: max(limits[name] for limits in raised) for name in names}
        options = [
            f"{OPTIONS.get(name, f'--set search.{name}=')}{plain(value)}"
            for name, value in highest.items()
        ]
        where = f"T={', '.join(map(str, lengths))}"
        yield (
            f"search more at {where}, where {' and '.join(map(REASONS.__getitem__, reasons))}",
            " ".join([resume_command(path, history.config), *options]),
        )


def further(history: History) -> str:
    """The options with which a search that has ended goes beyond its last T, if it is solved."""
    search, last = history.config.search, history.last
    if not all(map(history.is_over, history.lengths)) or not history.solvers(last):
        return ""
    options = []
    if (T := doubled(last)) > search.reach:
        options.append("--reach" if T <= REACH else f"--reach {T}")
    if search.budget_minutes is not None:
        minutes = twice(history.search_seconds / 60, search.budget_minutes)
        options.append(f"{OPTIONS['budget_minutes']}{plain(minutes)}")
    if search.budget_tokens is not None:
        options.append(f"{OPTIONS['budget_tokens']}{twice(history.tokens, search.budget_tokens)}")
    return " ".join(options)
