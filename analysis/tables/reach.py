"""reach.csv: how far each study with ``--reach`` has come, and what each T took."""

import math
from typing import Any

import pandas as pd

from analysis.reading.studies import STUDY, Studies
from analysis.tables.comparison import LABEL
from analysis.tables.records import records
from studies.columns import REACH, Table, real
from studies.reach import Frontier, frontier

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


def frontiers(rows: pd.DataFrame) -> dict[str, Frontier]:
    """Label -> how far it has come, of rows of :func:`reached` of one task, in their order."""
    by_label: dict[str, list[dict[str, Any]]] = {label: [] for label in rows["label"]}
    for row in records(rows):
        by_label[row["label"]].append(row)
    return {label: frontier(of) for label, of in by_label.items()}
