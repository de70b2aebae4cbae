"""Numbers and lists as a sentence has them."""

from collections.abc import Sequence
from typing import Any


def listing(words: Sequence[str]) -> str:
    """``a, b and c``."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def some(words: Sequence[str], limit: int = 4) -> list[str]:
    """The words, or the first of them and how many more there are."""
    if len(words) <= limit:
        return list(words)
    return [*words[: limit - 1], f"{len(words) - limit + 1} more"]


def at_lengths(lengths: Sequence[int]) -> str:
    """``T = 100 and 200``."""
    return f"T = {listing([str(T) for T in lengths])}"


def duration(seconds: float) -> str:
    """Seconds, minutes or hours."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 6000:
        return f"{seconds / 60:.1f} min"
    return f"{seconds / 3600:,.1f} h"


def million_tokens(tokens: float) -> str:
    """``8.8 M tokens``."""
    return f"{tokens / 1e6:{',.1f' if tokens >= 1e6 else '.2g'}} M tokens"


def between(numbers: Sequence[int]) -> str:
    """``3 to 16``, or ``3`` if all are equal."""
    low, high = min(numbers), max(numbers)
    return str(low) if low == high else f"{low} to {high}"


def with_interval(row: dict[str, Any], name: str = "accuracy") -> str:
    """``0.9931 [0.9917, 0.9942]``: the column ``name`` with its interval."""
    value, low, high = (row[f"{name}{end}"] for end in ("", "_low", "_high"))
    return f"{value:.4f} [{low:.4f}, {high:.4f}]"
