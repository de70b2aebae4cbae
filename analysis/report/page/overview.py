"""The overview below the verdict: models against T."""

from collections.abc import Sequence
from typing import NamedTuple

from analysis.phrases import duration, million_tokens
from analysis.report.cells import Row
from analysis.report.verdict.results import (
    is_confirmed,
    is_raced,
    is_solved,
    is_tested,
    labels_of,
    largest_solved,
    race_interval,
)
from analysis.tables.comparison import short_state
from studies.format import SOLVED_ACCURACY

OVERVIEW_ROWS = 8
"""More labels than this make the overview longer than a screen."""


class OverviewCell(NamedTuple):
    """One model at one T: how many seeds solve it, how sure that is, and what it took.

    Attributes:
        kind: solved (with every fresh seed), once (by the best trial, without fresh seeds),
            unsolved, or open, which has no result.
        lines: the most important first.
    """

    kind: str
    lines: list[str]


class Overview(NamedTuple):
    """Models against T.

    Attributes:
        lengths: the columns.
        rows: label -> one cell a length; of many labels those that get farthest.
        left_out: number of labels that are not among them.
        raced: whether a cell has seeds of the race.
    """

    lengths: list[int]
    rows: dict[str, list[OverviewCell]]
    left_out: int
    raced: bool


def overview(rows: Sequence[Row]) -> Overview:
    """The overview of one task's rows of the comparison."""
    lengths = sorted({row["T"] for row in rows if row["T"] is not None})
    labels = labels_of(rows)
    farthest = sorted(
        labels, key=lambda label: (-largest_solved(label, rows), -_solve_rates(label, rows))
    )[:OVERVIEW_ROWS]
    at = {(row["label"], row["T"]): row for row in rows}
    shown = {
        label: [_overview_cell(at.get((label, T))) for T in lengths]
        for label in labels
        if label in farthest
    }
    raced = any(row["label"] in shown and is_solved(row) and is_raced(row) for row in rows)
    return Overview(lengths, shown, len(labels) - len(shown), raced)


def _solve_rates(label: str, rows: Sequence[Row]) -> float:
    return float(sum(row["solve_rate"] or 0 for row in rows if row["label"] == label))


def _overview_cell(row: Row | None) -> OverviewCell:
    if row is None:
        return OverviewCell("open", ["not searched"])
    if not is_tested(row):
        return OverviewCell("open", [short_state(row["state"])])
    return _confirmed_cell(row) if is_confirmed(row) else _best_trial_cell(row)


def _confirmed_cell(row: Row) -> OverviewCell:
    """What fresh seeds show; the best trial comes last."""
    lines = [
        f"{row['seeds_solved']} of {row['seeds']} seeds",
        f"rate {row['solve_rate_low']:.2f} to {row['solve_rate_high']:.2f}, "
        f"median {row['median_accuracy']:.4f}",
    ]
    if row["median_tokens_to_solve"] is not None:
        lines.append(f"half within {million_tokens(row['median_tokens_to_solve'])}")
    if row["seeds_tested_solved"] < row["seeds_solved"]:
        lines.append(f"only {row['seeds_tested_solved']} test at {SOLVED_ACCURACY}")
    every = row["seeds_solved"] == row["seeds"]
    lines.append(f"best trial {row['accuracy']:.4f}")
    return OverviewCell("solved" if every else "unsolved", lines)


def _best_trial_cell(row: Row) -> OverviewCell:
    """What the best trial shows, where nothing else is known."""
    tested = f"{row['accuracy_low']:.4f} to {row['accuracy_high']:.4f}"
    if not is_solved(row):
        spent = f"in {duration(row['seconds'])}, {million_tokens(row['tokens'])}"
        return OverviewCell(
            "unsolved", ["not solved", f"best trial {row['accuracy']:.4f}", tested, spent]
        )
    lines = ["solved once", f"best trial {row['accuracy']:.4f}", tested]
    if is_raced(row):
        low, high = race_interval(row)
        seeds = f"{row['race_solved']} of {row['race_seeds']} race seeds"
        lines = [seeds, f"rate {low:.2f} to {high:.2f}", f"best trial {row['accuracy']:.4f}"]
    cost = duration(row["seconds_to_solve"]), million_tokens(row["tokens_to_solve"])
    lines.append(f"in {cost[0]}, {cost[1]}")
    if row["accuracy_high"] < SOLVED_ACCURACY:  # by validation alone
        return OverviewCell("unsolved", [*lines, f"but tested below {SOLVED_ACCURACY}"])
    return OverviewCell("once", [*lines, "not confirmed"])
