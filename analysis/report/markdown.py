"""The comparison as a Markdown page."""

from collections.abc import Iterable, Sequence

import pandas as pd

from analysis.figures.rendering import MissingFigure, RenderedFigure
from analysis.report.accuracy_table import accuracy_table
from analysis.report.cells import MISSING, PrintedColumn, Row, interval, value
from analysis.tables.comparison import BROKEN, STATUS_COLUMNS, problems, tasks
from analysis.tables.pairs import MOST_SHOWN
from analysis.tables.records import records
from analysis.tables.registry import NAME
from studies.format import CHANCE_ACCURACY, SOLVED_ACCURACY
from studies.markdown import markdown_table
from studies.seed_statistics import BEST_OF_MANY

INTRODUCTION = f"""\
# Comparison of the models on the copy task

Each row is the best trial of one model at one length T. The search chose it among many trials by
its validation accuracy. Its accuracy, exact match and recalled bits were measured on test data,
which decided nothing. The 95 % interval is over test payloads of that one trained network: another
seed may change the accuracy by more. A model solves T when its validation accuracy at T is at least
{SOLVED_ACCURACY} at two evaluations in a row. Guessing has an accuracy of {CHANCE_ACCURACY}.
"""

CONFIRMATION = f"""\
"Mean over seeds" is the mean test accuracy of the same configuration trained again with fresh
seeds, each tested on its own payloads, with a 95 % interval over seeds (Student's t). "Solved"
counts the seeds that solved T, with a 95 % interval of their share (Clopper-Pearson).
{BEST_OF_MANY}
"""


PAIRS = """\
Differences of test accuracy at the largest T, with 95 % intervals. Over payloads, two trained
networks are compared; over seeds, two models with their best configurations. p-values are corrected
for all pairs at this T (Holm). pairs.csv has all T.
"""

COSTS = """\
What each result has cost: tokens and seconds of all trials at its T. At equal tokens and seconds,
the best trial of each model is cut to the shortest of them. At equal parameters, each search has
its best trial up to a limit, the smallest of the models' largest networks. These three are
validation accuracies.
"""


def markdown(
    tables: dict[str, pd.DataFrame],
    figures: Iterable[RenderedFigure],
    missing: Iterable[MissingFigure],
    searched: Sequence[str] = (),
    warnings: Sequence[str] = (),
) -> str:
    """The comparison as a Markdown page that shows the figures.

    Args:
        tables: of :func:`analysis.tables.registry.make_tables`.
        searched: of :func:`analysis.tables.comparison.searched_hyperparameters`; each has a column.
        warnings: of :meth:`analysis.reading.studies.Studies.warnings`.
    """
    comparison = tables[NAME]
    figures, missing = list(figures), list(missing)
    parts = [INTRODUCTION]
    if comparison["seeds"].notna().any():
        parts.append(CONFIRMATION)
    for task in tasks(comparison):
        rows = comparison[comparison["task"] == task]
        parts.append(f"## Task {task}\n")
        parts.append("Test accuracy (95 % interval):\n")
        parts.append(markdown_table(*accuracy_table(rows)))
        parts.append(_markdown_table(rows, searched))
        shown = [figure for figure in figures if figure.task == task]
        if not shown:
            parts.append("No T has a result yet, so there are no figures.\n")
        parts += _pairs_part(tables["pairs"], task)
        parts += _costs_part(tables["equal_cost"], task)
        for figure in shown:
            parts.append(f"![{figure.shows}]({figure.stem}.png)\n\n{figure.caption}\n")
        absent = [figure for figure in missing if figure.task == task]
        parts += ["Not shown:\n"] * bool(absent)
        parts += ["".join(f"- {figure.shows}: {figure.reason}\n" for figure in absent)]
    broken = problems(comparison)
    if broken:
        parts.append("## Studies that cannot be read\n")
        parts.append("".join(f"- {line}\n" for line in broken))
    if warnings:
        parts.append("## Studies of which something is left out\n")
        parts.append("".join(f"- {line}\n" for line in warnings))
    parts.append("What each column of the CSV files means: [columns.md](columns.md).\n")
    return "\n".join(part for part in parts if part)


def _pairs_part(pairs: pd.DataFrame, task: str) -> list[str]:
    rows = pairs[pairs["task"] == task]
    rows = rows[rows["T"] == rows["T"].max()].sort_values(
        ["basis", "difference"], ascending=[True, False]
    )
    if rows.empty:
        return []
    columns = (
        PrintedColumn("T", value("T")),
        PrintedColumn("over", value("basis")),
        PrintedColumn("better", value("better")),
        PrintedColumn("than", value("worse")),
        PrintedColumn("difference", value("difference", ".4f")),
        PrintedColumn("95 % interval", interval("difference", ".4f", " to ")),
        PrintedColumn("P(better seed)", value("superiority", ".2f")),
        PrintedColumn("p (Holm)", value("p_holm", ".2g")),
    )
    more = f"The first {MOST_SHOWN} of {len(rows)}.\n" if len(rows) > MOST_SHOWN else ""
    return [PAIRS, _table(columns, rows.head(MOST_SHOWN)), more]


def _costs_part(costs: pd.DataFrame, task: str) -> list[str]:
    rows = costs[costs["task"] == task]
    if rows.empty:
        return []
    columns = (
        PrintedColumn("T", value("T")),
        PrintedColumn("model", value("label")),
        PrintedColumn("test accuracy", value("accuracy", ".4f")),
        PrintedColumn("parameters", value("parameters", ",")),
        PrintedColumn("trials", value("trials")),
        PrintedColumn("million tokens of all", value("search_tokens", ".3g", 1e6)),
        PrintedColumn("seconds of all", value("search_seconds", ".0f")),
        PrintedColumn("at equal tokens", value("accuracy_at_equal_tokens", ".4f")),
        PrintedColumn("at equal seconds", value("accuracy_at_equal_seconds", ".4f")),
        PrintedColumn("at equal parameters", value("accuracy_at_equal_parameters", ".4f")),
    )
    return [COSTS, _table(columns, rows)]


def _solved_seeds(row: Row) -> str:
    if row["seeds"] is None:
        return MISSING
    share = f"{row['solved_low']:.2f}-{row['solved_high']:.2f}"
    return f"{row['seeds_solved']}/{row['seeds']} ({share})"


def _trial_counts(row: Row) -> str:
    if row["state"].startswith(BROKEN):
        return MISSING
    return " / ".join(str(row[name]) for name in STATUS_COLUMNS.values())


def _markdown_table(comparison: pd.DataFrame, searched: Sequence[str]) -> str:
    confirmed = (
        PrintedColumn("mean over seeds", value("mean_accuracy", ".4f")),
        PrintedColumn("95 % interval of the mean", interval("mean_accuracy")),
        PrintedColumn("solved", _solved_seeds),
    )
    columns = (
        PrintedColumn("T", value("T")),
        PrintedColumn("model", value("label")),
        PrintedColumn("test accuracy", value("accuracy", ".4f")),
        PrintedColumn("95 % interval", interval("accuracy")),
        *(confirmed if comparison["seeds"].notna().any() else ()),
        PrintedColumn("exact match", value("exact_match", ".4f")),
        PrintedColumn("recalled bits", value("recalled_bits", ".1f")),
        PrintedColumn("million tokens to solve", value("tokens_to_solve", ".3g", 1e6)),
        PrintedColumn("seconds to solve", value("seconds_to_solve", ".0f")),
        PrintedColumn("million tokens", value("tokens", ".3g", 1e6)),
        PrintedColumn("seconds", value("seconds", ".0f")),
        *(
            PrintedColumn(name.replace("_", " "), value(name, ".4g"))
            for name in searched
            if name in comparison and comparison[name].notna().any()
        ),
        PrintedColumn("parameters", value("parameters", ",")),
        PrintedColumn("validation accuracy", value("validation_accuracy", ".4f")),
        PrintedColumn("trials", value("trials")),
        PrintedColumn(" / ".join(STATUS_COLUMNS).replace("_", " "), _trial_counts),
        PrintedColumn("state", value("state")),
        PrintedColumn("study", value("study")),
    )
    return _table(columns, comparison)


def _table(columns: Sequence[PrintedColumn], rows: pd.DataFrame) -> str:
    header = [column.header for column in columns]
    return markdown_table(
        header, ([column.text(row) for column in columns] for row in records(rows))
    )
