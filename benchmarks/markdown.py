"""Markdown tables that can be pasted into docs/."""

import math
from collections.abc import Iterable, Sequence

from benchmarks.estimates import Estimate

NAMES = {
    "gru": "GRU", "lstm": "LSTM", "mgru": "multiplicative GRU", "mlstm": "multiplicative LSTM"
}  # fmt: skip
"""What docs/ call the models."""


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """One line for the header, one below it, one a row; without a newline at the end."""
    lines = [_line(f" {cell} " if cell else " " for cell in row) for row in (header, *rows)]
    return "\n".join([lines[0], _line(["---"] * len(header)), *lines[1:]])


def _line(cells: Iterable[str]) -> str:
    return f"|{'|'.join(cells)}|"


def interval(estimate: Estimate, digits: int) -> str:
    """A value and its interval, if there is one; "never" stands for infinity, for a search that did
    not end."""
    value, low, high = (number(x, digits) for x in estimate)
    return value if math.isnan(estimate.low) else f"{value} [{low}, {high}]"


def number(value: float, digits: int) -> str:
    """A number; "never" if it is infinite."""
    return "never" if math.isinf(value) else f"{value:.{digits}f}"
