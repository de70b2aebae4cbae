"""How does a cell of one's own do beside four rivals, and how long does that take? For a table of
docs/own-cell.md.

    python -m search.run --model examples/minimal_gated_unit.py:factory lstm gru mlstm mgru \\
        --confirm-seeds 5 --budget-minutes 60 --storage runs-own
    python -m benchmarks.own_cell runs-own

Does not search: it reads the studies that the first line made, and writes own_cell.csv, one row for
each tested training. ``python -m benchmarks.published`` prints the table.
"""

from pathlib import Path

import pandas as pd

from analysis.reading.studies import Studies
from benchmarks import default_searches
from benchmarks.default_searches import clock, collect_studies, lengths
from benchmarks.markdown import NAMES, table
from studies import format as files

TABLE = Path(__file__).with_suffix(".csv")


def collect(studies: Studies) -> pd.DataFrame:
    """The winners and their confirmations; ``all_minutes``: the study's time, confirmations too."""
    last = studies.events.groupby("study")["elapsed"].max() / 60
    minutes = dict(zip(studies.studies["model"], studies.studies["study"].map(last), strict=True))
    rows = default_searches.collect(studies)
    return rows.assign(all_minutes=rows["model"].map(minutes).round(2))


def rivals_table(rows: pd.DataFrame) -> str:
    """How many fresh seeds of each model solve T, and what its study took."""
    lines, total = [], pd.Series(0.0, ["minutes", "all_minutes"])
    own_first = sorted(rows["model"].unique(), key=lambda model: (model in NAMES, model))
    for model in own_first:
        of = rows[rows["model"] == model]
        seeds = of[of["stage"] == files.CONFIRM].groupby("T")
        cells = [f"{at['tokens_to_solve'].notna().sum()} of {len(at)}" for _, at in seeds]
        median = of[of["T"] == of["T"].max()]["accuracy"].median()
        took = of[total.index].max()
        total += took
        name = NAMES.get(model, f"`{model}`")
        lines.append([name, *cells, f"{median:.3f}", *map(clock, took)])
    lines.append(["all", *[""] * (len(lines[0]) - 3), *map(clock, total)])
    header = [
        "fresh seeds that solve", *lengths(rows), f"median test at {rows['T'].max()}",
        "search and races", "with fresh seeds",
    ]  # fmt: skip
    return table(header, lines)


def main() -> None:
    collect_studies("python -m benchmarks.own_cell", __doc__, TABLE, collect)


if __name__ == "__main__":
    main()
