"""Formats numbers, times and reasons for the console."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from search.study.history import History
from search.study.records import TrialRecord
from studies import format as files
from studies.columns import SHORT_FORMS
from studies.events import Scores
from studies.wording import all_counted, counted

BUDGETS_SPENT = {"budget_minutes": "its time is up", "budget_tokens": "its tokens are spent"}
"""Limit that is a budget -> why it ended a search or a race."""


def clock(seconds: float) -> str:
    """Format seconds as h:mm:ss, or m:ss below an hour."""
    text = str(timedelta(seconds=round(seconds)))
    return text.removeprefix("0:")


def number(value: float | None) -> str:
    """Format a share with three digits; empty for None."""
    return "" if value is None else f"{value:.3f}"


def millions(tokens: int | None) -> str:
    """Format tokens in millions; empty for None."""
    return "" if tokens is None else f"{tokens / 1e6:.1f} M"


def interval(low: float, high: float) -> str:
    """Format an interval of shares with three digits."""
    return f"{number(low)}-{number(high)}"


def accuracy_interval(scores: Scores) -> str:
    """The 95 % interval of a test accuracy."""
    return interval(scores.accuracy_low, scores.accuracy_high)


def searched(history: History) -> list[str]:
    """The hyperparameters that a study searches, those with a short form first."""
    dimensions = history.space.dimensions
    known = [name for name in SHORT_FORMS if name in dimensions]
    return known + [name for name in dimensions if name not in known]


def short_form(name: str) -> str:
    """The name of a hyperparameter in tables and lines."""
    return SHORT_FORMS.get(name, name)


def hyperparameters(history: History, trial: TrialRecord, names: Iterable[str]) -> list[str]:
    """Format a trial's values of these hyperparameters; empty for one that was not searched."""
    values = history.space.without_unsearched(trial.hyperparameters)
    return [_value(name, values.get(name)) for name in names]


def _value(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name == "learning_rate":
        return f"{value:.1e}".replace("e-0", "e-")
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def describe(history: History, trial: TrialRecord) -> str:
    """Format a trial's searched hyperparameters in a few characters."""
    names = searched(history)
    values = zip(names, hyperparameters(history, trial, names), strict=True)
    return " ".join(f"{short_form(name)} {value}" for name, value in values if value)


def end_reason(history: History, T: int) -> str:
    """Say why the search at T ended, or what has decided its best trial since."""
    best = history.best.get(T)
    if best and history.trials[best.trial_id].stage == files.FINAL:
        return "final training"
    if best and (record := history.race(T).record_of(history.trials[best.trial_id])):
        return f"{record.solved} of {record.seeds} fresh seeds solve it"
    return limit_reason(history, T)


def race_outcome(history: History, T: int) -> str:
    """Say who has won the race at T, and how."""
    race = history.race(T)
    assert race.ahead
    record = f"{race.ahead.solved} of {race.ahead.seeds} fresh seeds"
    if not race.ahead.is_out and not race.leader:
        return f"{race.ahead.trial.id} wins the race, {record} solve it"
    if not race.ahead.seeds:
        spent = BUDGETS_SPENT[history.race_limit]
        return f"{race.ahead.trial.id} stays the best; {spent} before a fresh seed has told"
    why = BUDGETS_SPENT[history.race_limit] if race.leader else "no other candidate is left"
    return f"{race.ahead.trial.id} has the best record, {record} solve it; {why}"


def limit_reason(history: History, T: int) -> str:
    """Say which limit ended the search at T."""
    length = history.lengths[T]
    if history.all_failed(T):
        failed = sum(trial.failed for trial in length.trials)
        return f"{all_counted(failed, 'trial')} failed"
    match length.limit:
        case "solved_trials":
            # In an earlier version one that failed after that counted too.
            solved = max(length.solved, int(length.limit_value or 0))
            return f"{counted(solved, 'trial')} solved it"
        case "trials":
            run = len(length.trials)
            return f"{all_counted(run, 'trial')} {'has' if run == 1 else 'have'} run"
        case "patience":
            return f"no gain in {counted(length.stale, 'trial')}"
        case files.NEXT_T:
            return "--next-T ended it"
        case "reach":
            return "its trials failed before they were evaluated"
    return BUDGETS_SPENT.get(length.limit, "it is not over")
