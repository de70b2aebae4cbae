"""Collects how far models come, for the tables of docs/results.md.

    python -m search.run --model lstm gru mlstm mgru --seed 1 --confirm-seeds 5 --storage runs1
    python -m search.run --model lstm gru mlstm mgru --resume --reach --budget-minutes 56 \\
        --storage runs1
    python -m search.run --model lstm transformer --task sequence --T 10 --reach \\
        --budget-minutes 16 --storage runs2
    python -m search.run --model transformer --task sequence --reach --budget-minutes 8 \\
        --storage runs3
    python -m benchmarks.reaches runs1 runs2/lstm-sequence runs3

Does not search: it reads the studies that the first lines made, and writes reaches.csv, one row for
each T of each study. ``python -m benchmarks.published`` prints the tables.
"""

from pathlib import Path

import pandas as pd

from analysis.phrases import duration
from analysis.reading.studies import Studies
from analysis.tables.records import records
from benchmarks.default_searches import collect_studies
from benchmarks.markdown import NAMES, table
from studies.reach import Row, frontier

TABLE = Path(__file__).with_suffix(".csv")

COLUMNS = [
    "task", "model", "T", "solved", "trials", "tokens", "seconds", "tokens_to_solve",
    "seconds_to_solve", "recalled_bits", "state_floats", "limit", "best_trial", "error",
]  # fmt: skip
"""Of a row, see :data:`studies.columns.REACH`."""


def reach_table(rows: pd.DataFrame, task: str) -> str:
    """The largest T that each model solves, the smallest that it does not, and what they took."""
    lines = []
    for model, of in rows[rows["task"] == task].groupby("model"):
        solved, failed, _ = frontier(records(of))
        name = NAMES.get(str(model), f"`{model}`")
        lines.append([name, *_largest(solved), *_smallest(failed)])
    header = [
        f"`{task}`", "solves T =", "in M tokens", "recalls bits", "floats of state",
        "does not solve T =", "in M tokens", "in",
    ]  # fmt: skip
    return table(header, lines)


def _largest(row: Row | None) -> list[str]:
    if row is None:
        return ["none", "", "", ""]
    tokens = f"{row['tokens_to_solve'] / 1e6:.1f}"
    return [f"{row['T']}", tokens, f"{row['recalled_bits']:,.0f}", f"{row['state_floats']:,}"]


def _smallest(row: Row | None) -> list[str]:
    if row is None:
        return ["not reached", "", ""]
    return [f"{row['T']}", f"{row['tokens'] / 1e6:.0f}", duration(row["seconds"])]


def collect(studies: Studies) -> pd.DataFrame:
    """Each T of each study."""
    return studies.reach.sort_values(["task", "model", "T"])[COLUMNS]


def main() -> None:
    collect_studies("python -m benchmarks.reaches", __doc__, TABLE, collect)


if __name__ == "__main__":
    main()
