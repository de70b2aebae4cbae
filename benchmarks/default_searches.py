"""Collects the results of the default searches for the tables of docs/results.md.

    python -m search.run --model examples/minimal_gated_unit.py:factory lstm gru mlstm mgru \\
        --confirm-seeds 5 --budget-minutes 60 --storage runs0
    for seed in 1 2; do
      python -m search.run --model lstm gru mlstm mgru --confirm-seeds 5 \\
        --seed $seed --storage runs$seed
    done
    python -m benchmarks.default_searches runs0/gru-delay runs0/lstm-delay runs0/mgru-delay \\
        runs0/mlstm-delay runs1 runs2

    python -m search.run --model lstm gru mlstm mgru --confirm-seeds 5 --storage runs4
    python -m benchmarks.default_searches runs4 --output benchmarks/default_searches_avx2.csv

Does not search: it reads the studies that the other lines made, and writes
default_searches.csv, one row for each tested training; default_searches_avx2.csv is of a later
version, on a processor without AVX-512. ``python -m benchmarks.published`` prints the tables.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from analysis.reading.studies import Studies, load_studies
from benchmarks.markdown import NAMES, table
from benchmarks.options import add_output
from copytask import SOLVED_ACCURACY
from studies import format as files

TABLE = Path(__file__).with_suffix(".csv")

COLUMNS = [
    "search_seed", "model", "task", "T", "trial_id", "stage", "seed", "trials", "tokens",
    "tokens_to_solve", "validation_accuracy", "accuracy", "accuracy_low", "accuracy_high",
    "minutes",
]  # fmt: skip
"""Of a row; ``minutes`` is the time of the study's whole search at all T, races included: on the
wall, or its share of that where several studies ran side by side."""


def collect(studies: Studies) -> pd.DataFrame:
    """The winners of these studies, and their confirmations with fresh seeds."""
    rows = pd.concat([studies.best, studies.confirmations], ignore_index=True)
    rows["stage"] = rows["stage"].fillna(files.CONFIRM)
    rows["minutes"] = rows["study"].map(search_minutes(studies))
    rows["search_seed"] = rows["study"].map(search_seeds(studies))
    return rows.sort_values(["search_seed", "model", "T", "trial_id"])[COLUMNS]


def search_minutes(studies: Studies) -> "pd.Series[float]":
    """Study -> time of its whole search, at all T, races included, in minutes."""
    ends = studies.events[studies.events["event"].isin(["length_ended", "racing_ended"])]
    return (ends.groupby("study")["elapsed"].max() / 60).round(2)


def search_seeds(studies: Studies) -> dict[str, int]:
    """Study -> the seed of its search."""
    return {name: config["search"]["seed"] for name, config in studies.configs.items()}


def best_table(rows: pd.DataFrame) -> str:
    """Test accuracy of each search's winner at each T, and the time of the whole search."""
    winners = rows[rows["stage"] != files.CONFIRM]
    lines = []
    for seed, name, of in by_search(winners):
        accuracies = (f"{x:.3f}" for x in of["accuracy"])
        lines.append([name, seed, *accuracies, clock(of["minutes"].max())])
    header = ["test accuracy of the winner", "search seed", *lengths(rows), "search and races"]
    return table(header, lines)


def fresh_seeds_table(rows: pd.DataFrame) -> str:
    """How many of the winners' repetitions solve T, by validation and by test data."""
    repeated = rows[rows["stage"] == files.CONFIRM]
    lines = []
    for seed, name, of in (*by_search(repeated), ("", "all", repeated)):
        cells = [f"{at['tokens_to_solve'].notna().sum()} of {len(at)}" for _, at in of.groupby("T")]
        lines.append([name, seed, *cells, *solved(of), f"{of['accuracy'].min():.3f}"])
    header = ["fresh seeds", "search seed", *lengths(rows), "all", "test at 0.99", "lowest test"]
    return table(header, lines)


def solved_table(rows: pd.DataFrame) -> str:
    """How often a training that validation calls solved has a test accuracy below 0.99."""
    repeated = rows[rows["stage"] == files.CONFIRM]
    lines = []
    for name, of in (*by_model(repeated), ("all", repeated)):
        called = of[of["tokens_to_solve"].notna()]
        below = called["accuracy"] < SOLVED_ACCURACY
        surely = called["accuracy_high"] < SOLVED_ACCURACY
        lines.append(
            [
                name, f"{len(called)} of {len(of)}", f"{below.sum()}", f"{surely.sum()}",
                f"{called['accuracy'].min():.3f}",
            ]
        )  # fmt: skip
    header = [
        "fresh seeds", "solved", "of these, test below 0.99", "whole interval below 0.99",
        "lowest test accuracy",
    ]  # fmt: skip
    return table(header, lines)


def solved(trainings: pd.DataFrame) -> tuple[str, str]:
    """How many of the trainings solve their T by validation data, and how many by test data."""
    n = len(trainings)
    by_test = (trainings["accuracy"] >= SOLVED_ACCURACY).sum()
    return f"{trainings['tokens_to_solve'].notna().sum()} of {n}", f"{by_test} of {n}"


def by_search(rows: pd.DataFrame) -> list[tuple[str, str, pd.DataFrame]]:
    """Search seed, name of the model, and the rows of that search in ascending T."""
    return [
        (str(seed), name, of[of["search_seed"] == seed].sort_values("T"))
        for name, of in by_model(rows)
        for seed in sorted(of["search_seed"].unique())
    ]


def by_model(rows: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """The rows of each model, in ascending T, after its name."""
    return [(name, rows[rows["model"] == model].sort_values("T")) for model, name in NAMES.items()]


def clock(minutes: float) -> str:
    """Minutes and seconds, as 5:07."""
    whole, seconds = divmod(round(60 * minutes), 60)
    return f"{whole}:{seconds:02}"


def lengths(rows: pd.DataFrame) -> list[str]:
    """Titles of the columns of each T."""
    return [f"T = {T}" for T in sorted(rows["T"].unique())]


def collect_studies(
    prog: str,
    description: str | None,
    table: Path,
    collect: Callable[[Studies], pd.DataFrame] = collect,
) -> Studies:
    """A command that writes what the named studies found into a table; returns them."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "runs", nargs="*", default=["runs"], help="folders of studies (default: runs)"
    )
    add_output(parser, table)
    args = parser.parse_args()
    studies = load_studies(args.runs)
    collect(studies).to_csv(args.output, index=False)
    return studies


def main() -> None:
    collect_studies("python -m benchmarks.default_searches", __doc__, TABLE)


if __name__ == "__main__":
    main()
