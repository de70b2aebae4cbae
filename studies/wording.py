"""Counts in sentences, for the console and for the report."""


def counted(number: int, noun: str) -> str:
    """``1 trial``, ``2 trials``."""
    return f"{number} {noun}{'s' * (number != 1)}"


def all_counted(number: int, noun: str) -> str:
    """``1 trial``, ``all 2 trials``: of whom all the same is said."""
    return f"{'all ' * (number != 1)}{counted(number, noun)}"
