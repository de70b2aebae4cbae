"""equal_cost.csv: what each accuracy has cost, and the accuracies at equal cost."""

import pandas as pd

from analysis.reading.studies import Studies
from analysis.tables.comparison import DONE, LABEL, TRIAL_COUNT
from studies import format as files
from studies.columns import ACCURACY, PARAMETERS, TASK, T, Table, real, whole

EQUAL_COST = Table(
    "equal_cost.csv",
    "One row a (label, T) with a result: its cost, and validation accuracies at equal cost.",
    (
        TASK, T, LABEL, ACCURACY, PARAMETERS, TRIAL_COUNT,
        whole(
            "search_tokens", "tokens",
            "tokens of all trials at this T, final training and fresh seeds included",
        ),
        real(
            "search_seconds", "s",
            "seconds of the same trials; they run in parallel, so the wall time is less",
        ),
        whole("equal_tokens", "tokens", "tokens of the shortest best trial of any label at this T"),
        real("accuracy_at_equal_tokens", "share", "accuracy of the best trial within these tokens"),
        real("equal_seconds", "s", "seconds of the shortest best trial of any label at this T"),
        real(
            "accuracy_at_equal_seconds", "share", "accuracy of the best trial within these seconds"
        ),
        whole("equal_parameters", "", "the smallest of the labels' largest models"),
        real(
            "accuracy_at_equal_parameters", "share",
            "accuracy of the best trial with no more parameters",
        ),
    ),
)  # fmt: skip


def accuracy_at_equal_cost(studies: Studies, comparison: pd.DataFrame) -> pd.DataFrame:
    """One row a (task, T, label) that has a result.

    At equal tokens or seconds, each label has its best trial cut to the shortest best trial at
    this T. At equal parameters, it has the best trial of its search with no more parameters than
    the smallest of the labels' largest models. These accuracies are on validation data: no test
    data are spent on every evaluation and trial.

    Columns: those of :data:`EQUAL_COST`.
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
    return rows[list(EQUAL_COST.names)].reset_index(drop=True)


def _with_best(rows: pd.DataFrame, within: pd.DataFrame, name: str) -> pd.DataFrame:
    """Add the best validation accuracy of each (study, T) that is within a limit."""
    keys = ["study", "T"]
    best = within.groupby(keys)["validation_accuracy"].max().rename(name).reset_index()
    return rows.merge(best, on=keys, how="left")
