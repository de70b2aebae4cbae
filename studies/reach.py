"""How far a study with ``--reach`` has come: a reading of its reach.csv."""

from collections.abc import Iterable, Mapping
from operator import itemgetter
from typing import Any, NamedTuple

Row = Mapping[str, Any]
"""A row of reach.csv, see :data:`studies.columns.REACH`."""


class Frontier(NamedTuple):
    """How far a study has come.

    Attributes:
        solved: the row of the largest T that it solved; None if it solved none.
        failed: the row of the smallest T above whose search is over; None if there is none.
        smallest: the row of the smallest T that it solved.
    """

    solved: Row | None
    failed: Row | None
    smallest: Row | None


def frontier(rows: Iterable[Row]) -> Frontier:
    """How far a study with these rows has come.

    A T without an evaluated trial, and at which not all failed, does not count: it had no time.
    """
    ordered = sorted(rows, key=itemgetter("T"))
    solved = [row for row in ordered if row["solved"]]
    beyond = ordered[ordered.index(solved[-1]) + 1 :] if solved else ordered
    failed = next(filter(was_tried, beyond), None)
    return Frontier(solved[-1] if solved else None, failed, solved[0] if solved else None)


def was_tried(row: Row) -> bool:
    """Whether the search at a T is over, and had the time to evaluate a trial, or to fail."""
    return bool(row["limit"]) and bool(row["best_trial"] or row["error"])
