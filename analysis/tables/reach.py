"""reach.csv: how far each study with ``--reach`` has come, and what each T took."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import pandas as pd

from analysis.reading.studies import STUDY, Studies
from analysis.tables.comparison import LABEL
from analysis.tables.records import records
from studies.columns import REACH, Table, real

Row = dict[str, Any]

REACHED = Table(
    REACH.file,
    "One row a (study, T) of the studies that go beyond their list of T (`--reach`). T is solved "
    "if `solved` is at least 1.",
    (
        STUDY, LABEL, *REACH.columns,
        real("bits_per_float", "bits", "recalled_bits / state_floats"),
    ),
)  # fmt: skip


def reached(studies: Studies, comparison: pd.DataFrame) -> pd.DataFrame:
    """The columns of :data:`REACHED`, by task and label, in the order of the comparison, and T."""
    labels = comparison[["study", "label"]].dropna().drop_duplicates()
    rows = labels.merge(studies.reach.sort_values("T"), on="study")
    rows = rows[["study", "label", *REACH.names]]
    floats = rows["state_floats"].astype("float64").replace(0.0, math.nan)
    rows["bits_per_float"] = rows["recalled_bits"] / floats
    return rows.sort_values("task", kind="stable", ignore_index=True)


class Frontier(NamedTuple):
    """How far one label has come.

    Attributes:
        solved: the row of the largest T that it solved; None if it solved none.
        failed: the row of the smallest T above, whose search is over; None if there is none.
        smallest: the row of the smallest T that it solved.
    """

    label: str
    solved: Row | None
    failed: Row | None
    smallest: Row | None


def was_tried(row: Row) -> bool:
    """Whether the search at a T is over, and had the time to evaluate a trial, or to fail."""
    return bool(row["limit"]) and bool(row["best_trial"] or row["error"])


def frontiers(rows: pd.DataFrame) -> list[Frontier]:
    """The frontier of each label in rows of :func:`reached` of one task, in their order."""
    by_label: dict[str, list[Row]] = {label: [] for label in rows["label"]}
    for row in records(rows.sort_values("T")):
        by_label[row["label"]].append(row)
    return [_frontier(label, of) for label, of in by_label.items()]


def _frontier(label: str, rows: Sequence[Row]) -> Frontier:
    solved = [row for row in rows if row["solved"]]
    beyond = rows[rows.index(solved[-1]) + 1 :] if solved else rows
    failed = next(filter(was_tried, beyond), None)
    return Frontier(label, solved[-1] if solved else None, failed, solved[0] if solved else None)
