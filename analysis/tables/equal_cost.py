"""What each accuracy has cost, and what the accuracies are at equal cost."""

import pandas as pd

from analysis.reading.studies import Studies
from analysis.tables.comparison import DONE
from studies import format as files

EQUAL_COST_COLUMNS = (
    "task", "T", "label", "accuracy", "parameters", "trials", "search_tokens", "search_seconds",
    "equal_tokens", "accuracy_at_equal_tokens", "equal_seconds", "accuracy_at_equal_seconds",
    "equal_parameters", "accuracy_at_equal_parameters",
)  # fmt: skip


def equal_cost(studies: Studies, comparison: pd.DataFrame) -> pd.DataFrame:
    """One row a (task, T, label) that has a result.

    At equal training, each label has its best trial cut to what the shortest of them at this T
    has had. At equal parameters, it has the best trial of its search with no more parameters than
    the smallest of the labels' largest models. These accuracies are on validation data, for no
    other exist of every evaluation and trial.

    Columns: ``EQUAL_COST_COLUMNS``, explained in :mod:`analysis.tables.columns`.
    """
    keys = ["study", "T"]
    rows = comparison[comparison["state"] == DONE]
    trials = studies.trials
    spent = trials.groupby(keys)[["tokens", "seconds"]].sum().add_prefix("search_").reset_index()
    rows = rows.merge(spent, on=keys, how="left")
    searched = trials[trials["stage"] == files.SEARCH]
    largest = searched.groupby(keys)["parameters"].max().rename("largest").reset_index()
    rows = rows.merge(largest, on=keys, how="left")
    curves = studies.progress[[*keys, "trial_id", "tokens", "seconds", "validation_accuracy"]]
    for unit in ("tokens", "seconds"):
        rows[f"equal_{unit}"] = rows.groupby(["task", "T"])[unit].transform("min")
        limit = rows[[*keys, "trial_id", f"equal_{unit}"]]
        within = curves.merge(limit, on=[*keys, "trial_id"])
        within = within[within[unit] <= within[f"equal_{unit}"]]
        rows = _with_best(rows, within, f"accuracy_at_equal_{unit}")
    rows["equal_parameters"] = rows.groupby(["task", "T"])["largest"].transform("min")
    within = searched.merge(rows[[*keys, "equal_parameters"]], on=keys)
    within = within[within["parameters"] <= within["equal_parameters"]]
    rows = _with_best(rows, within, "accuracy_at_equal_parameters")
    return rows[list(EQUAL_COST_COLUMNS)].reset_index(drop=True)


def _with_best(rows: pd.DataFrame, within: pd.DataFrame, name: str) -> pd.DataFrame:
    """Adds the best validation accuracy of each (study, T) that is within a limit."""
    keys = ["study", "T"]
    best = within.groupby(keys)["validation_accuracy"].max().rename(name).reset_index()
    return rows.merge(best, on=keys, how="left")
