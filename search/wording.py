"""Numbers, times and reasons in the words of the console."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import study_format as files
from search.history import History


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


def interval(row: Mapping[str, Any]) -> str:
    """The 95 % interval of a test accuracy."""
    return f"{row['accuracy_low']:.3f}-{row['accuracy_high']:.3f}"


def hyperparameters(row: Mapping[str, Any]) -> tuple[str, str, str]:
    """Learning rate, hidden size and curriculum length of a trial."""
    return f"{row['learning_rate']:.1e}", str(row["hidden_size"]), str(row["curriculum_length"])


def describe(row: Mapping[str, Any]) -> str:
    """A trial's hyperparameters in a few characters."""
    rate, hidden, curriculum = hyperparameters(row)
    return f"lr {rate} h {hidden} ramp {curriculum}"


def end_reason(history: History, T: int) -> str:
    """Why the search at T ended, or what came after it."""
    if history.best.get(T, {}).get("stage") == files.FINAL:
        return "final training"
    return limit_reason(history, T)


def limit_reason(history: History, T: int) -> str:
    """The limit that ended the search at T, in words."""
    length = history.lengths[T]
    if history.all_failed(T):
        return f"all {len(length.trials)} trials failed"
    match length.limit:
        case "solved_trials":
            return f"{length.solved} trial{'s' * (length.solved > 1)} solved it"
        case "trials":
            return f"all {len(length.trials)} trials ran"
        case "patience":
            return f"no gain in {length.stale} trials"
    return "its time is over"
