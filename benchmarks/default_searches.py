"""Collects the results of the default searches for the tables of docs/results.md.

    for model in gru lstm mgru mlstm; do python -m search.run --model $model --confirm-seeds 5; done
    python -m benchmarks.default_searches

Does not search: it reads the studies that the first line made, and writes
default_searches.csv, one row for each tested training. ``python -m
benchmarks.published`` prints the tables.
"""

import argparse
from pathlib import Path

import pandas as pd

from analysis.reading.studies import Studies, load_studies
from benchmarks.markdown import table
from benchmarks.replay.tables import NAMES
from copytask import SOLVED_ACCURACY
from studies import format as files

TABLE = Path(__file__).with_suffix(".csv")

COLUMNS = [
    "model", "task", "T", "trial_id", "stage", "seed", "trials", "tokens", "tokens_to_solve",
    "validation_accuracy", "accuracy", "accuracy_low", "accuracy_high", "minutes",
]  # fmt: skip
"""Of a row; ``minutes`` is the wall time of the study's whole search, at all T."""


def collect(studies: Studies) -> pd.DataFrame:
    """The winners of these studies, and their confirmations with fresh seeds."""
    rows = pd.concat([studies.best, studies.confirmations], ignore_index=True)
    rows["stage"] = rows["stage"].fillna(files.CONFIRM)
    rows["minutes"] = rows["study"].map(search_minutes(studies))
    return rows.sort_values(["model", "T", "trial_id"])[COLUMNS]


def search_minutes(studies: Studies) -> "pd.Series[float]":
    """Study -> wall time of its whole search, at all T, in minutes."""
    ends = studies.events[studies.events["event"] == "length_ended"]
    return (ends.groupby("study")["elapsed"].max() / 60).round(2)


def best_table(rows: pd.DataFrame) -> str:
    """Test accuracy of each model's winner at each T, and the time of its whole search."""
    winners = rows[rows["stage"] != files.CONFIRM]
    lines = []
    for name, of in by_model(winners):
        whole, seconds = divmod(round(60 * of["minutes"].max()), 60)
        lines.append([name, *(f"{x:.3f}" for x in of["accuracy"]), f"{whole}:{seconds:02}"])
    header = ["test accuracy of the best trial", *lengths(rows), "whole search"]
    return table(header, lines)


def fresh_seeds_table(rows: pd.DataFrame) -> str:
    """How many of the winners' repetitions solved T, and their median test accuracy."""
    repeated = rows[rows["stage"] == files.CONFIRM]
    lines = []
    for name, of in by_model(repeated):
        cells = [
            f"{at['tokens_to_solve'].notna().sum()} of {len(at)}, {at['accuracy'].median():.3f}"
            for _, at in of.groupby("T")
        ]
        lines.append([name, *cells])
    return table(["", *lengths(rows)], lines)


def solved_table(rows: pd.DataFrame) -> str:
    """How often a training that validation calls solved has a test accuracy below 0.99."""
    lines = []
    for name, of in (*by_model(rows), ("all", rows)):
        repeated = of[of["stage"] == files.CONFIRM]
        solved = repeated[repeated["tokens_to_solve"].notna()]
        below = solved["accuracy"] < SOLVED_ACCURACY
        surely = solved["accuracy_high"] < SOLVED_ACCURACY
        lines.append(
            [
                name, f"{len(solved)} of {len(repeated)}", f"{below.sum()}", f"{surely.sum()}",
                f"{solved['accuracy'].min():.3f}",
            ]
        )  # fmt: skip
    header = [
        "fresh seeds", "solved", "of these, test below 0.99", "whole interval below 0.99",
        "lowest test accuracy",
    ]  # fmt: skip
    return table(header, lines)


def by_model(rows: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """The rows of each model, in ascending T, after its name."""
    return [(name, rows[rows["model"] == model].sort_values("T")) for model, name in NAMES.items()]


def lengths(rows: pd.DataFrame) -> list[str]:
    """Titles of the columns of each T."""
    return [f"T = {T}" for T in sorted(rows["T"].unique())]


def collect_studies(prog: str, description: str | None, table: Path) -> Studies:
    """A command that writes what the named studies found into a table; returns them."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "runs", nargs="*", default=["runs"], help="folders of studies (default: runs)"
    )
    studies = load_studies(parser.parse_args().runs)
    collect(studies).to_csv(table, index=False)
    return studies


def main() -> None:
    collect_studies("python -m benchmarks.default_searches", __doc__, TABLE)


if __name__ == "__main__":
    main()
