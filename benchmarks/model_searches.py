"""Collects the default searches of the task ``sequence`` for docs/results.md.

    for model in transformer linear_attention
    do python -m search.run --model $model --task sequence --confirm-seeds 2; done
    python -m search.generalize runs/transformer-sequence runs/linear_attention-sequence \\
        --T 500 1000 1100 1500 2000 5000 --payloads 20
    python -m benchmarks.sequence_searches

Does not search: it reads the studies that the first lines made. It writes sequence_searches.csv,
one row for each tested training: the winner at each T, and that configuration with fresh seeds;
and sequence_generalization.csv, the winners at other lengths. ``python -m benchmarks.published``
prints the tables.
"""

import statistics
from pathlib import Path

import pandas as pd

from benchmarks.default_searches import collect_studies
from benchmarks.markdown import table
from studies import format as files

TABLE = Path(__file__).with_suffix(".csv")
OTHER_LENGTHS = TABLE.with_name("sequence_generalization.csv")
TRAINED_AT = 1000
"""T of the models that the table of other lengths shows."""


def sequence_table(rows: pd.DataFrame) -> str:
    """Median test accuracy over the seeds of each winner, and all of them."""
    lines = []
    for model, of in rows.groupby("model"):
        cells = []
        for _, at in of.sort_values("T").groupby("T"):
            values = [f"{value:.4f}" for value in at["accuracy"]]
            cells.append(f"{statistics.median(at['accuracy']):.4f} ({', '.join(values)})")
        searched = of[of["stage"] != files.CONFIRM]
        lines.append([f"`{model}`", *cells, f"{searched['minutes'].max():.1f} min"])
    lengths = [f"T = {T}" for T in sorted(rows["T"].unique())]
    return table(["median (winner and fresh seeds)", *lengths, "whole search"], lines)


def other_lengths_table(rows: pd.DataFrame) -> str:
    """Test accuracy of the winners at the largest T, at lengths that they were not trained at."""
    trained = rows[rows["T"] == TRAINED_AT]
    lengths = sorted(trained["test_T"].unique())
    lines = []
    for model, of in trained.groupby("model"):
        at = of.set_index("test_T")
        cells = (f"{at.loc[T, 'accuracy']:.4f}" if T in at.index else "" for T in lengths)
        lines.append([f"`{model}`", *cells])
    header = [f"trained at T = {TRAINED_AT}, tested at", *(f"{T}" for T in lengths)]
    return table(header, lines)


def main() -> None:
    studies = collect_studies("python -m benchmarks.sequence_searches", __doc__, TABLE)
    studies.generalization.to_csv(OTHER_LENGTHS, index=False)


if __name__ == "__main__":
    main()
