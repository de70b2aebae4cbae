"""The trials of the searches, which several figures show."""

import pandas as pd

from analysis.figures.spec import Scope
from studies import format as files

MOST_ROWS = 6
"""Labels in a figure that has a row for each of them."""

MANY_MARKS = 1000
"""With more marks than this an SVG file holds them as pixels: as paths they take megabytes."""


def search_trials(scope: Scope) -> pd.DataFrame:
    """One row a trial of a search that was evaluated.

    Columns: label, T, status, iterations, million_tokens (at its end), learning_rate,
    hidden_size, curriculum_length, validation_accuracy, ladder_accuracy.
    """
    trials, progress = scope.studies.trials, scope.studies.progress
    trials = trials[trials["stage"] == files.SEARCH]
    labels = scope.rows[["study", "label", "T"]].dropna()
    trials = trials.merge(labels, on=["study", "T"]).dropna(subset=["validation_accuracy"])
    keys = ["study", "T", "trial_id"]
    counts = progress.groupby(keys)["iteration"].max().rename("iterations").reset_index()
    trials = trials.merge(counts, on=keys, how="left")
    trials["million_tokens"] = trials["tokens"].astype("float64") / 1e6
    return trials[
        [
            "label", "T", "status", "iterations", "million_tokens", "learning_rate",
            "hidden_size", "curriculum_length", "validation_accuracy", "ladder_accuracy",
        ]
    ]  # fmt: skip


def rows_shown(data: pd.DataFrame) -> str:
    """A sentence for the caption if a figure has no row for some labels; starts with a space."""
    labels = data["label"].nunique()
    return f" Only the first {MOST_ROWS} of {labels} are shown." if labels > MOST_ROWS else ""
