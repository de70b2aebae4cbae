"""Collects the default searches of the task ``sequence`` for docs/results.md.

    for model in transformer linear_attention
    do python -m search.run --model $model --task sequence --confirm-seeds 2; done
    python -m benchmarks.sequence_searches

Does not search: it reads the studies that the first lines made, and writes sequence_searches.csv,
one row for each tested training: the winner at each T, and that configuration with fresh seeds.
``python -m benchmarks.published`` prints the table.
"""

import statistics
from pathlib import Path

import pandas as pd

from benchmarks.default_searches import collect_studies
from benchmarks.markdown import table
from studies import format as files

TABLE = Path(__file__).with_suffix(".csv")


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


def main() -> None:
    collect_studies("python -m benchmarks.sequence_searches", __doc__, TABLE)


if __name__ == "__main__":
    main()
