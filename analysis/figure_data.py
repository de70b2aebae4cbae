"""The numbers that each figure shows: pure functions of one task's comparison."""

import pandas as pd

from analysis.tables import DONE


def accuracy_data(comparison: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy with its 95 % interval, one row a (label, T) that has a result.

    Columns: label, T, accuracy, accuracy_low, accuracy_high.
    """
    columns = ["label", "T", "accuracy", "accuracy_low", "accuracy_high"]
    return _done(comparison)[columns].reset_index(drop=True)


def time_to_solve_data(comparison: pd.DataFrame) -> pd.DataFrame:
    """What the best trial needed to solve T, one row a (label, T) that has a result.

    Columns: label, T, solved (bool), seconds, million_tokens. Of a trial that has not solved T
    these are what it has spent.
    """
    rows = _done(comparison)
    solved = rows["tokens_to_solve"].notna()
    tokens = rows["tokens_to_solve"].where(solved, rows["tokens"])
    return pd.DataFrame(
        {
            "label": rows["label"],
            "T": rows["T"],
            "solved": solved,
            "seconds": rows["seconds_to_solve"].where(solved, rows["seconds"]),
            "million_tokens": tokens.astype("float64") / 1e6,
        }
    ).reset_index(drop=True)


def learning_curves_data(comparison: pd.DataFrame, progress: pd.DataFrame) -> pd.DataFrame:
    """Every evaluation of the best trials, in the order of training.

    Columns: label, T, million_tokens, validation_accuracy.
    """
    keys = ["study", "T", "trial_id"]
    curves = _done(comparison)[["label", *keys]].merge(
        progress[[*keys, "tokens", "validation_accuracy"]], on=keys
    )
    curves["million_tokens"] = curves["tokens"].astype("float64") / 1e6
    columns = ["label", "T", "million_tokens", "validation_accuracy"]
    return curves.sort_values(["T", "label", "million_tokens"], ignore_index=True)[columns]


def largest_length_data(comparison: pd.DataFrame) -> pd.DataFrame:
    """Test accuracy of every label at the largest T of the task, best first.

    Columns: label, T, accuracy, accuracy_low, accuracy_high, state. A label without a result
    there comes last, with its state; "not searched" if T is not in its configuration.
    """
    largest = comparison["T"].max()
    at_largest = comparison[comparison["T"] == largest]
    rows = comparison[["label"]].drop_duplicates().merge(at_largest, on="label", how="left")
    rows["T"] = rows["T"].fillna(largest)
    rows["state"] = rows["state"].fillna("not searched").map(_short)
    columns = ["label", "T", "accuracy", "accuracy_low", "accuracy_high", "state"]
    return rows.sort_values(["accuracy", "label"], ascending=[False, True], ignore_index=True)[
        columns
    ]


def missing_note(comparison: pd.DataFrame) -> str:
    """One sentence that names every (label, T) without a result; empty if there is none."""
    missing = comparison[comparison["state"] != DONE]
    parts = [
        f"{label} at T = {', '.join(str(T) for T in rows['T'])} ({state})"
        for (label, state), rows in missing.assign(state=missing["state"].map(_short)).groupby(
            ["label", "state"]
        )
    ]
    return f"No result: {'; '.join(parts)}" if parts else ""


def _done(comparison: pd.DataFrame) -> pd.DataFrame:
    return comparison[comparison["state"] == DONE]


def _short(state: str) -> str:
    """A state without its details, which the tables have."""
    return state.split(":")[0]
