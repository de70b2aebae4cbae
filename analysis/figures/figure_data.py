"""The numbers that each figure shows: pure functions of one task's comparison."""

import pandas as pd

from analysis.reading.studies import Studies
from analysis.tables.comparison import DONE
from analysis.tables.confirmation import winner_seeds
from analysis.tables.pairs import SEEDS

MOST_PAIRS = 20


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

    Columns: label, T, million_tokens, validation_accuracy, curriculum (the largest training
    length by then, as a share of T).
    """
    keys = ["study", "T", "trial_id"]
    curves = _done(comparison)[["label", *keys]].merge(
        progress[[*keys, "tokens", "validation_accuracy", "max_length"]], on=keys
    )
    curves["million_tokens"] = curves["tokens"].astype("float64") / 1e6
    curves["curriculum"] = curves["max_length"].astype("float64") / curves["T"].astype("float64")
    columns = ["label", "T", "million_tokens", "validation_accuracy", "curriculum"]
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


def seeds_data(comparison: pd.DataFrame, studies: Studies) -> pd.DataFrame:
    """One row a seed with which a winner was trained again.

    Columns: label, T, accuracy, solved, and the same in each row of a (label, T) mean, mean_low,
    mean_high (95 % interval of the mean).
    """
    means = ["mean_accuracy", "mean_accuracy_low", "mean_accuracy_high"]
    rows = _done(comparison)[["label", "study", "T", *means]]
    data = rows.merge(winner_seeds(studies), on=["study", "T"])
    data = data.rename(columns=dict(zip(means, ("mean", "mean_low", "mean_high"), strict=True)))
    columns = ["label", "T", "accuracy", "solved", "mean", "mean_low", "mean_high"]
    return data.sort_values(["T", "label"], ignore_index=True)[columns]


def largest_pairs_data(comparison: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Every two labels at the largest T of the task, the largest difference first.

    Args:
        pairs: of :func:`analysis.tables.pairs.compare_pairs`, as the columns of the result are.

    On the basis of seeds if there are any at this T, else of payloads.
    """
    pairs = pairs[pairs["T"] == comparison["T"].max()]
    seeds = pairs[pairs["basis"] == SEEDS]
    chosen = pairs if seeds.empty else seeds
    return chosen.sort_values("difference", ascending=False, ignore_index=True).head(MOST_PAIRS)


def generalization_data(comparison: pd.DataFrame, studies: Studies) -> pd.DataFrame:
    """Test accuracies of the best trials at other T than that of their training.

    Columns: label, T, test_T, accuracy, accuracy_low, accuracy_high. Tests of a trial that is not
    the best at its T any more do not count.
    """
    keys = ["study", "T", "trial_id"]
    scores = ["test_T", "accuracy", "accuracy_low", "accuracy_high"]
    data = _done(comparison)[["label", *keys]].merge(
        studies.generalization[[*keys, *scores]], on=keys
    )
    return data.sort_values(["T", "label", "test_T"], ignore_index=True)[["label", "T", *scores]]


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
