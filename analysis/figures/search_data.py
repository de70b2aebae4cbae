"""The numbers of the figures that show a search: pure functions of one task's rows."""

import pandas as pd

from analysis.reading.events import trial_spans
from analysis.reading.studies import Studies
from studies import format as files

ENDS = (files.COMPLETED, files.STOPPED_EARLY, files.FAILED, files.INTERRUPTED)


def trials_data(comparison: pd.DataFrame, studies: Studies) -> pd.DataFrame:
    """One row a trial of the search that was evaluated.

    Columns: label, T, status, iterations, million_tokens (at its end), learning_rate,
    hidden_size, curriculum_length, validation_accuracy, ladder_accuracy.
    """
    trials = studies.trials[studies.trials["stage"] == files.SEARCH]
    labels = comparison[["study", "label", "T"]].dropna()
    trials = trials.merge(labels, on=["study", "T"]).dropna(subset=["validation_accuracy"])
    keys = ["study", "T", "trial_id"]
    counts = studies.progress.groupby(keys)["iteration"].max().rename("iterations").reset_index()
    trials = trials.merge(counts, on=keys, how="left")
    trials["million_tokens"] = trials["tokens"].astype("float64") / 1e6
    return trials[
        [
            "label", "T", "status", "iterations", "million_tokens", "learning_rate",
            "hidden_size", "curriculum_length", "validation_accuracy", "ladder_accuracy",
        ]
    ]  # fmt: skip


def slots_data(comparison: pd.DataFrame, studies: Studies) -> pd.DataFrame:
    """How many trials of a study had a slot when, one row a change of that number.

    Columns: label, minutes (wall time of the study, summed up over its runs), running. The last
    row of a label is the end of what is known, with the number that ran then.
    """
    labels = comparison[["study", "label"]].dropna().drop_duplicates()
    spans = trial_spans(studies.events).merge(labels, on="study")
    ends = (("began", 1), ("ended", -1))
    changes = pd.concat(
        [
            pd.DataFrame({"label": spans["label"], "seconds": spans[end], "change": change})
            for end, change in ends
        ]
    )
    changes = changes.groupby(["label", "seconds"])["change"].sum().reset_index()
    changes["running"] = changes.groupby("label")["change"].cumsum()
    # What ends with the record has not ended: it ran until then.
    last = ~changes.duplicated("label", keep="last")
    before = changes.groupby("label")["running"].shift(fill_value=0)
    changes.loc[last, "running"] = before[last]
    changes["minutes"] = changes["seconds"] / 60
    return changes[["label", "minutes", "running"]]


def slot_use(slots: pd.DataFrame) -> pd.DataFrame:
    """One row a label of :func:`slots_data`: how well its slots were used.

    Columns: label, slots (the most that ran at once), minutes, busy (share of slots x minutes in
    which a trial had the slot).
    """
    rows = []
    for label, of in slots.groupby("label"):
        width = of["minutes"].diff().shift(-1).fillna(0)
        most, minutes = int(of["running"].max()), float(width.sum())
        busy = float((of["running"] * width).sum()) / (most * minutes) if most and minutes else 0.0
        rows.append((label, most, minutes, busy))
    return pd.DataFrame(rows, columns=["label", "slots", "minutes", "busy"])
