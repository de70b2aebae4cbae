"""best_so_far.csv: how soon a search found what it found, against all tokens that it took."""

import pandas as pd

from analysis.reading.events import trial_spans
from analysis.reading.studies import STUDY, Studies
from analysis.tables.comparison import LABEL
from studies import format as files
from studies.columns import TASK, T, Table, real, text, whole

NOT_SEARCHING = (files.FINAL, files.CONFIRM)
"""Stages of trainings that follow a search: they are no part of what it took."""

BEST_SO_FAR = Table(
    "best_so_far.csv",
    "One row each time that the search at a T has found something better, and one at its end.",
    (
        STUDY, LABEL, TASK, T,
        whole("tokens", "tokens", "of all trials of the search at this T together, until then"),
        real("best", "share", "best validation accuracy until then"),
        text("solved", "whether a trial had solved T by then: True or False"),
    ),
)  # fmt: skip


def searching(trials: pd.DataFrame) -> pd.DataFrame:
    """The trials that belong to a search: all but what follows it."""
    return trials[~trials["stage"].isin(NOT_SEARCHING)]


def best_so_far(studies: Studies, comparison: pd.DataFrame) -> pd.DataFrame:
    """The best validation accuracy of each search at each T, over all the tokens that it took.

    Evaluations are in the order in which they happened: when a trial began, by its event, and the
    seconds that it had trained since. A study without events has no rows.

    Columns: those of :data:`BEST_SO_FAR`.
    """
    keys = ["study", "T", "trial_id"]
    trials = searching(studies.trials)[[*keys, "tokens_to_solve"]]
    began = trial_spans(studies.events)[["study", "trial_id", "began"]]
    rows = studies.progress[[*keys, "tokens", "seconds", "validation_accuracy"]].sort_values(
        [*keys, "tokens"]
    )
    rows = rows.merge(trials, on=keys).merge(began, on=["study", "trial_id"])
    rows["step"] = rows.groupby(keys)["tokens"].diff().fillna(rows["tokens"])
    rows["solved"] = (rows["tokens"] >= rows["tokens_to_solve"]).fillna(False).astype(bool)
    rows["time"] = rows["began"] + rows["seconds"].astype("float64")
    rows = rows.sort_values(["study", "T", "time"], kind="stable")
    of_length = rows.groupby(["study", "T"], sort=False)
    rows["tokens"] = of_length["step"].cumsum()
    rows["best"] = of_length["validation_accuracy"].cummax()
    rows["solved"] = of_length["solved"].cummax()
    better = rows["best"] > of_length["best"].shift(fill_value=-1.0)
    newly = rows["solved"] & ~of_length["solved"].shift(fill_value=False)
    last = ~rows.duplicated(["study", "T"], keep="last")
    labels = comparison[["study", "label", "task", "T"]].dropna()
    return labels.merge(rows[better | newly | last], on=["study", "T"])[list(BEST_SO_FAR.names)]
