"""Columns of printed tables, and the texts of their cells: for the console, Markdown and HTML."""

from collections.abc import Callable
from typing import Any, NamedTuple

Row = dict[str, Any]
Text = Callable[[Row], str]

MISSING = "-"
"""What a cell without a value shows."""


class PrintedColumn(NamedTuple):
    """A column of a printed table.

    Attributes:
        header: above it.
        text: row -> text of the cell.
        meaning: of the column, where there is room to say it.
        numeric: whether its cells are numbers, aligned to the right.
    """

    header: str
    text: Text
    meaning: str = ""
    numeric: bool = True


def value(name: str, form: str = "", scale: float = 1) -> Text:
    """Cells with the value of the column ``name``, divided by ``scale``.

    Args:
        form: as for :func:`format`; a value that is a word is printed as it is.
    """

    def text(row: Row) -> str:
        value = row[name]
        if value is None or isinstance(value, str):
            return value or MISSING
        return format(value / scale if scale != 1 else value, form)

    return text


def words(name: str) -> Text:
    """Cells with the words of the column ``name``, without underscores."""
    return lambda row: MISSING if row[name] is None else str(row[name]).replace("_", " ")


def solve_rate(row: Row) -> str:
    """``4 of 5 (0.28-0.99)``: the fresh seeds that solve T, and the interval of their share."""
    if row["seeds"] is None:
        return MISSING
    return f"{row['seeds_solved']} of {row['seeds']} ({interval('solve_rate', '.2f')(row)})"


def interval(name: str, form: str = ".3f", between: str = "-") -> Text:
    """Cells with both ends of the interval of the column ``name``."""

    def text(row: Row) -> str:
        low, high = row[f"{name}_low"], row[f"{name}_high"]
        if low is None or high is None:
            return MISSING
        return f"{format(low, form)}{between}{format(high, form)}"

    return text
