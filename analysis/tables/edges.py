"""edges.csv: hyperparameters whose best value lies at an end of what was searched.

The best value may then lie beyond, so the search space, and not the model, may have set the result.
"""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from analysis.phrases import first_few
from analysis.reading.csv_tables import frame_type
from analysis.reading.studies import STUDY, Studies
from analysis.tables.comparison import LABEL, searched_dimensions
from analysis.tables.records import records
from studies import format as files
from studies.columns import TASK, WHOLE, T, Table, real, text, whole

FEW = 5
"""A search of fewer trials has hardly looked beyond the configurations that it began with, so where
its best trial lies says nothing about the space."""

NEAR = 0.03
"""Share of a range, on its own scale, within which a value counts as its end."""

EDGES = Table(
    "edges.csv",
    "One row a (study, T, hyperparameter) whose best trial has a value at an end of the search "
    f"space: the smallest or largest choice, or within {NEAR:.0%} of the end of a range, on its "
    f"own scale. No value lies below 0, so a 0 is no end. A T with fewer than {FEW} trials has no "
    "row: its search has hardly looked beyond the configurations that it began with.",
    (
        STUDY, LABEL, TASK, T,
        text("hyperparameter", "a searched hyperparameter"),
        real("value", "", "what the best trial has"),
        text("end", "`low` or `high`"),
        real("bound", "", "the end of what was searched"),
        whole("winners", "", "best trials of the study, over these T, with the hyperparameter"),
    ),
)  # fmt: skip


def search_edges(studies: Studies, comparison: pd.DataFrame) -> pd.DataFrame:
    """The best trials at an end of their search space.

    Columns: those of :data:`EDGES`.
    """
    rows = []
    labelled = comparison[["study", "label", "task"]].dropna().drop_duplicates()
    searched = studies.trials[studies.trials["stage"] == files.SEARCH]
    trials = searched.groupby(["study", "T"]).size().rename("searched")
    tested = studies.best.join(trials, on=["study", "T"])
    best = dict(iter(tested[tested["searched"] >= FEW].groupby("study")))
    for study, label, task in labelled.itertuples(index=False):
        for name, dimension in searched_dimensions(studies.configs[study]).items():
            ends = _ends(dimension)
            if study not in best or name not in best[study] or ends is None:
                continue
            winners = best[study][["T", name]].dropna().sort_values("T")
            for T_, value in winners.itertuples(index=False):
                end = _end(value, *ends, 0 if "choices" in dimension else NEAR)
                if end:
                    bound = ends[0 if end == "low" else 1]
                    rows.append((study, label, task, T_, name, value, end, bound, len(winners)))
    frame = pd.DataFrame(rows, columns=list(EDGES.names))
    return frame.astype({of.name: frame_type(of) for of in EDGES.columns if of.type == WHOLE})


def _ends(dimension: Mapping[str, Any]) -> tuple[float, float, bool] | None:
    """Smallest and largest value of a dimension of ``space``, and whether its scale is logarithmic.

    None if the dimension has no two numbers.
    """
    values = dimension.get("choices", [dimension.get("low"), dimension.get("high")])
    numbers = [number for value in values if (number := _number(value)) is not None]
    if not numbers or min(numbers) == max(numbers):
        return None
    return min(numbers), max(numbers), bool(dimension.get("log")) and min(numbers) > 0


def _number(value: Any) -> float | None:
    """A value as a number; YAML, for one, reads 1e-3 as text. None for a choice in words."""
    try:
        return None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None


def _end(value: Any, low: float, high: float, log: bool, near: float) -> str:
    """Which end a value lies at; empty if it lies at none.

    Args:
        near: share of the range within which it does.
    """
    number = _number(value)
    if number is None:  # a choice in words
        return ""
    if log:
        number, low, high = (math.log(max(of, 1e-300)) for of in (number, low, high))
    place = (number - low) / (high - low)
    if place >= 1 - near:
        return "high"
    return "low" if place <= near and (log or low != 0) else ""


def edge_warnings(edges: pd.DataFrame) -> list[str]:
    """One sentence for each end of a hyperparameter at which most winners lie.

    Args:
        edges: rows of :func:`search_edges`.
    """
    warnings = []
    for _, of in edges.groupby(["hyperparameter", "end", "bound"], sort=False):
        name, end, bound = (of[key].iloc[0] for key in ("hyperparameter", "end", "bound"))
        winners = int(of.drop_duplicates("study")["winners"].sum())
        if 2 * len(of) <= winners:  # the others are evidence that the space reaches far enough
            continue
        labels = list(dict.fromkeys(row["label"] for row in records(of)))
        who = ", ".join(first_few(labels))
        beyond = "larger" if end == "high" else "smaller"
        extreme = "largest" if end == "high" else "smallest"
        warnings.append(
            f"{name.replace('_', ' ')}: {len(of)} of {winners} winners ({who}) lie at the "
            f"{extreme} value searched, {bound:,.6g}. A {beyond} one may do better: widen "
            f"space.{name}."
        )
    return warnings
