"""The columns of the tables that can be sorted: of the comparison, and of a study's trials."""

from collections.abc import Sequence

from analysis.report.cells import MISSING, PrintedColumn, Row, interval, value, words
from analysis.tables.comparison import DONE, STATUS_COLUMNS
from studies.columns import TRIALS


def _seeds_solved(row: Row) -> str:
    return MISSING if row["seeds"] is None else f"{row['seeds_solved']} of {row['seeds']}"


def _race(row: Row) -> str:
    return MISSING if row["race_seeds"] is None else f"{row['race_solved']} of {row['race_seeds']}"


def _statuses(row: Row) -> str:
    counts = {status.replace("_", " "): row[name] for status, name in STATUS_COLUMNS.items()}
    return ", ".join(f"{count} {status}" for status, count in counts.items() if count) or MISSING


def comparison_columns(rows: Sequence[Row], searched: Sequence[str]) -> list[PrintedColumn]:
    """The columns beside the label; those that no row has a value for are left out.

    Args:
        searched: of :func:`analysis.tables.comparison.searched_hyperparameters`.
    """
    confirmed = [
        PrintedColumn("seeds", _seeds_solved, "fresh seeds that solved T"),
        PrintedColumn(
            "95 % of rate", interval("solve_rate", ".2f", " to "), "exact interval of that share"
        ),
        PrintedColumn(
            "median", value("median_accuracy", ".4f"), "median test accuracy of the fresh seeds"
        ),
        PrintedColumn(
            "lowest", value("lowest_accuracy", ".4f"), "lowest test accuracy of the fresh seeds"
        ),
        PrintedColumn(
            "median M tokens",
            value("median_tokens_to_solve", ".2f", 1e6),
            "million tokens within which half of the fresh seeds solve T",
        ),
    ]
    race = PrintedColumn(
        "race", _race, "fresh seeds of the race that solved T; they chose the best"
    )
    # Where something is missing, the reason stands next to the gap.
    finished = all(row["state"] == DONE for row in rows)
    state = PrintedColumn("state", words("state"), "state of the search at this T", numeric=False)
    return [
        PrintedColumn("T", value("T", "d"), "length, in steps"),
        *(() if finished else (state,)),
        *(confirmed if any(row["seeds"] is not None for row in rows) else ()),
        *((race,) if any(row["race_seeds"] is not None for row in rows) else ()),
        PrintedColumn("accuracy", value("accuracy", ".4f"), "test accuracy of the best trial"),
        PrintedColumn(
            "95 %", interval("accuracy", ".4f", " to "), "95 % interval over test payloads"
        ),
        PrintedColumn("exact", value("exact_match", ".4f"), "share of whole payloads recalled"),
        PrintedColumn("bits", value("recalled_bits", ".1f"), "recalled bits of a payload"),
        PrintedColumn(
            "M tokens", value("tokens_to_solve", ".2f", 1e6), "million tokens until T was solved"
        ),
        PrintedColumn(
            "s", value("seconds_to_solve", ".1f"), "seconds of training until T was solved"
        ),
        PrintedColumn("parameters", value("parameters", ",d"), "trained parameters"),
        *hyperparameter_columns(rows, searched),
        PrintedColumn("trials", value("trials", "d"), "trials of the search"),
        PrintedColumn("of these", _statuses, "how the trials ended", numeric=False),
        *((state,) if finished else ()),
        PrintedColumn("study", lambda row: row["study"], "study directory", numeric=False),
    ]


def hyperparameter_columns(rows: Sequence[Row], searched: Sequence[str]) -> list[PrintedColumn]:
    """The columns of the searched hyperparameters; a fixed one is in the configuration."""
    meanings = {column.name: column.meaning for column in TRIALS.columns}
    return [
        PrintedColumn(
            name.replace("_", " "),
            value(name, ".4g"),
            meanings.get(name, "hyperparameter"),
        )
        for name in searched
        if any(row.get(name) is not None for row in rows)
    ]


def trial_columns(rows: Sequence[Row], searched: Sequence[str]) -> list[PrintedColumn]:
    """The columns of a study's trials."""
    return [
        PrintedColumn("T", value("T", "d"), "length, in steps"),
        PrintedColumn("status", words("status"), "how the trial ended", numeric=False),
        PrintedColumn(
            "stage", words("stage"), "search, race, final training or confirmation", numeric=False
        ),
        *hyperparameter_columns(rows, searched),
        PrintedColumn(
            "validation", value("validation_accuracy", ".4f"), "best validation accuracy at T"
        ),
        PrintedColumn("M tokens", value("tokens", ".2f", 1e6), "million tokens trained"),
        PrintedColumn("s", value("seconds", ".1f"), "seconds of training"),
        PrintedColumn(
            "M tokens to solve",
            value("tokens_to_solve", ".2f", 1e6),
            "million tokens until T was solved",
        ),
        PrintedColumn("seed", value("seed", "d"), "seed of the weights and of the training data"),
        PrintedColumn("error", lambda row: row["error"] or MISSING, "why it failed", numeric=False),
    ]
