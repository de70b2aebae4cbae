"""Numbers and lists as a sentence has them."""

from collections.abc import Sequence
from typing import Any


def listing(words: Sequence[str]) -> str:
    """``a, b and c``."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def some(words: Sequence[str], limit: int = 6) -> list[str]:
    """The words, or the first of them and how many more there are."""
    if len(words) <= limit:
        return list(words)
    return [*words[: limit - 1], f"{len(words) - limit + 1} more"]


def at_lengths(lengths: Sequence[int]) -> str:
    """``T = 100 and 200``."""
    return f"T = {listing([str(T) for T in lengths])}"


def duration(seconds: float) -> str:
    """Seconds in a unit that leaves at most three digits."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 6000:
        return f"{seconds / 60:.3g} min"
    return f"{seconds / 3600:,.3g} h"


def million_tokens(tokens: float) -> str:
    """``8.8 M tokens``."""
    return f"{tokens / 1e6:,.3g} M tokens"


def between(numbers: Sequence[int]) -> str:
    """``3 to 16``, or ``3`` if all are equal."""
    low, high = min(numbers), max(numbers)
    return str(low) if low == high else f"{low} to {high}"


def with_interval(row: dict[str, Any], name: str = "accuracy") -> str:
    """``0.993 [0.992, 0.994]``: the column ``name`` with its interval."""
    value, low, high = (row[f"{name}{end}"] for end in ("", "_low", "_high"))
    return f"{value:.3f} [{low:.3f}, {high:.3f}]"
