"""Numbers and lists in the form that a sentence needs, for captions and verdicts."""

from collections.abc import Sequence
from typing import Any

MOST_PARTS = 6
"""Parts of a :func:`semicolon_list`."""


def enumeration(words: Sequence[str]) -> str:
    """``a, b and c``."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def short_enumeration(words: Sequence[str]) -> str:
    """``a, b and c``, or ``a, b, c and 4 more``."""
    return enumeration(first_few(words))


def first_few(words: Sequence[str], limit: int = 4) -> list[str]:
    """The words, or the first of them and how many more there are: ``limit`` in all."""
    if len(words) <= limit:
        return list(words)
    return [*words[: limit - 1], f"{len(words) - limit + 1} more"]


def semicolon_list(parts: Sequence[str]) -> str:
    """``a; b; c``, or the first of them and how many more there are."""
    return "; ".join(first_few(parts, MOST_PARTS + 1))


def at_lengths(lengths: Sequence[int]) -> str:
    """``T = 100 and 200``."""
    return f"T = {enumeration([str(T) for T in lengths])}"


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


def solve_rate(row: dict[str, Any]) -> str:
    """``4 of 5 [0.28, 0.99]``: the fresh seeds that solve T, and the interval of their share."""
    low, high = row["solve_rate_low"], row["solve_rate_high"]
    return f"{row['seeds_solved']} of {row['seeds']} [{low:.2f}, {high:.2f}]"


def with_interval(row: dict[str, Any], name: str = "accuracy") -> str:
    """``0.9931 [0.9917, 0.9942]``: the column ``name`` with its interval."""
    value, low, high = (row[f"{name}{end}"] for end in ("", "_low", "_high"))
    return f"{value:.4f} [{low:.4f}, {high:.4f}]"
