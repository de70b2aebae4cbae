"""The overview below the verdict: models against T."""

from collections.abc import Sequence
from typing import NamedTuple

from analysis.phrases import duration, million_tokens
from analysis.report.cells import Row
from analysis.report.verdict.results import is_solved, is_tested, labels_of, largest_solved
from analysis.tables.comparison import short_state
from studies.format import SOLVED_ACCURACY

OVERVIEW_ROWS = 8
"""More labels than this make the overview longer than a screen."""


class OverviewCell(NamedTuple):
    """One model at one T: what it recalls, how sure that is, and what it took.

    Attributes:
        kind: solved, unsolved or open; the last has no result.
        lines: the most important first.
    """

    kind: str
    lines: list[str]


class Overview(NamedTuple):
    """Models against T.

    Attributes:
        lengths: the columns.
        rows: label -> one cell a length, who gets farthest first.
        left_out: labels that are not among them.
    """

    lengths: list[int]
    rows: dict[str, list[OverviewCell]]
    left_out: int


def overview(rows: Sequence[Row]) -> Overview:
    """The overview of one task's rows of the comparison."""
    lengths = sorted({row["T"] for row in rows if row["T"] is not None})
    labels = sorted(
        labels_of(rows),
        key=lambda label: (-largest_solved(label, rows), -_accuracies(label, rows)),
    )
    at = {(row["label"], row["T"]): row for row in rows}
    shown = {
        label: [_overview_cell(at.get((label, T))) for T in lengths]
        for label in labels[:OVERVIEW_ROWS]
    }
    return Overview(lengths, shown, len(labels) - len(shown))


def _accuracies(label: str, rows: Sequence[Row]) -> float:
    return float(sum(row["accuracy"] for row in rows if row["label"] == label and is_tested(row)))


def _overview_cell(row: Row | None) -> OverviewCell:
    if row is None:
        return OverviewCell("open", ["not searched"])
    if not is_tested(row):
        return OverviewCell("open", [short_state(row["state"])])
    lines = [f"{row['accuracy']:.4f}", f"{row['accuracy_low']:.4f} to {row['accuracy_high']:.4f}"]
    if is_solved(row):
        cost = duration(row["seconds_to_solve"]), million_tokens(row["tokens_to_solve"])
        lines.append(f"solved in {cost[0]}, {cost[1]}")
        if row["accuracy_high"] < SOLVED_ACCURACY:  # by validation alone
            lines.append(f"but tested below {SOLVED_ACCURACY}")
            return OverviewCell("unsolved", lines)
    else:
        lines.append(f"not solved in {duration(row['seconds'])}")
    if row["seeds"] is not None:
        lines.append(f"{row['seeds_solved']} of {row['seeds']} fresh seeds solve it")
    return OverviewCell("solved" if is_solved(row) else "unsolved", lines)
