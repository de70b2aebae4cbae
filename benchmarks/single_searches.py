"""Is one command for four models faster than four commands? For a table of docs/results.md.

    for model in lstm gru mlstm mgru
    do python -m search.run --model $model --seed 1 --storage single1; done
    python -m benchmarks.single_searches single1

Does not search: it reads the studies that the first lines made, and writes single_searches.csv.
``python -m benchmarks.published`` prints the table, beside the searches with the same seed in
default_searches.csv, where one command searched all four.
"""

from pathlib import Path

import pandas as pd

from benchmarks.default_searches import clock, collect_studies
from benchmarks.markdown import NAMES, table

TABLE = Path(__file__).with_suffix(".csv")


def time_table(alone: pd.DataFrame, together: pd.DataFrame) -> str:
    """Minutes of each model's search with races, in a command of its own and in one for all."""
    [seed] = alone["search_seed"].unique()
    same = together[together["search_seed"] == seed]
    minutes = [frame.groupby("model")["minutes"].max()[list(NAMES)] for frame in (alone, same)]
    names = [*NAMES.values(), "all four"]
    lines = [
        [command, *(clock(x) for x in (*of, of.sum()))]
        for command, of in zip(("four commands", "one command"), minutes, strict=True)
    ]
    ratio = minutes[1].sum() / minutes[0].sum()
    lines.append(["one / four", *[""] * len(NAMES), f"{ratio:.2f}"])
    return table([f"search seed {seed}", *names], lines)


def main() -> None:
    collect_studies("python -m benchmarks.single_searches", __doc__, TABLE)


if __name__ == "__main__":
    main()
