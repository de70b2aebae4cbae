"""Collects default searches of models beyond the four gated cells, for docs/results.md.

    python -m search.run --model transformer linear_attention --task sequence --confirm-seeds 2
    python -m search.run --model transformer linear_attention mingru --T 1000 --confirm-seeds 2
    python -m search.run --model exprnn --T 1000 --confirm-seeds 2
    python -m search.generalize runs/transformer-sequence runs/linear_attention-sequence \\
        --T 500 1000 1100 1500 2000 5000 --payloads 20
    python -m search.generalize runs/transformer-delay runs/linear_attention-delay \\
        --T 1000 10000 --payloads 200
    python -m benchmarks.model_searches

Does not search: it reads the studies that the first lines made. It writes model_searches.csv, one
row for each tested training: the winner at each T, and that configuration with fresh seeds; and
model_generalization.csv, the winners at other lengths. ``python -m benchmarks.published`` prints
the tables.
"""

import statistics
from pathlib import Path

import pandas as pd

from benchmarks.default_searches import clock, collect_studies, lengths
from benchmarks.markdown import table
from studies import format as files

TABLE = Path(__file__).with_suffix(".csv")
OTHER_LENGTHS = TABLE.with_name("model_generalization.csv")
TRAINED_AT = 1000
"""T of the models that the tables of other lengths show."""


def seeds_table(rows: pd.DataFrame, task: str) -> str:
    """Median test accuracy over the seeds of each winner, and all of them."""
    rows = rows[rows["task"] == task]
    lines = []
    for model, of in rows.groupby("model"):
        cells = []
        for _, at in of.sort_values("T").groupby("T"):
            values = [f"{value:.4f}" for value in at["accuracy"]]
            cells.append(f"{statistics.median(at['accuracy']):.4f} ({', '.join(values)})")
        searched = of[of["stage"] != files.CONFIRM]
        lines.append([f"`{model}`", *cells, clock(searched["minutes"].max())])
    return table(["median (winner, fresh seeds)", *lengths(rows), "search and races"], lines)


def other_lengths_table(rows: pd.DataFrame, task: str) -> str:
    """Test accuracy of the winners at the largest T, at lengths that they were not trained at."""
    trained = rows[(rows["task"] == task) & (rows["T"] == TRAINED_AT)]
    tested_at = sorted(trained["test_T"].unique())
    lines = []
    for model, of in trained.groupby("model"):
        at = of.set_index("test_T")
        cells = (f"{at.loc[T, 'accuracy']:.4f}" if T in at.index else "" for T in tested_at)
        lines.append([f"`{model}`", *cells])
    header = [f"trained at T = {TRAINED_AT}, tested at", *(f"{T}" for T in tested_at)]
    return table(header, lines)


def main() -> None:
    studies = collect_studies("python -m benchmarks.model_searches", __doc__, TABLE)
    studies.generalization.to_csv(OTHER_LENGTHS, index=False)


if __name__ == "__main__":
    main()
