"""The comparison as a Markdown page."""

from collections.abc import Iterable, Sequence

import pandas as pd

from analysis.figures.rendering import MissingFigure, RenderedFigure
from analysis.report.cells import MISSING, PrintedColumn, Row, interval, solve_rate, value
from analysis.report.wide_tables import wide_tables
from analysis.tables.comparison import BROKEN, STATUS_COLUMNS, problems, task_chance, tasks
from analysis.tables.edges import edge_warnings
from analysis.tables.pairs import MOST_SHOWN
from analysis.tables.records import records
from analysis.tables.registry import NAME
from studies.format import SOLVED_ACCURACY
from studies.markdown import markdown_table
from studies.seed_statistics import BEST_OF_MANY

INTRODUCTION = f"""\
# Comparison of the models on the copy task

Each row is the best configuration of one model at one length T. The search chose it among many
trials by validation data. What to expect of another training is the solve rate: the share of fresh
seeds with which this configuration solves T. Test accuracy, exact match and recalled bits are those
of the best trial, on test data, which decided nothing. Their 95 % interval is over test payloads of
that one trained network: another seed may change the accuracy by more. A model solves T when its
validation accuracy at T is at least {SOLVED_ACCURACY} at two evaluations in a row.
"""

CONFIRMATION = f"""\
"Solve rate" counts the fresh seeds that solve T, with the exact 95 % interval of their share
(Clopper-Pearson). "Median" and "lowest" are of the test accuracies of these seeds, each tested on
its own payloads. "Half within" are the tokens within which half of the seeds solve T; a seed that
does not is counted as censored (Kaplan-Meier). {BEST_OF_MANY}
"""

NOT_CONFIRMED = """\
No winner was confirmed with fresh seeds, so solve rates are not known: search with
`--confirm-seeds 5`, also with `--resume` in a finished study.
"""

PAIRS = """\
Every two models by their fresh seeds: the difference of their solve rates with its 95 % interval
(Boschloo's exact test), and the probability that a seed of the better one solves T after fewer
tokens (exact rank test, seeds without a solution last). p-values are corrected for all comparisons
of this report (Holm). "Least p" is the smallest that so many seeds can reach before the correction.
Where p is not below 0.05, these seeds cannot tell.
"""

EDGES = """\
Best trials at an edge of the search space, where the space, and not the model, may have set the
result:
"""

COSTS = """\
What each search has cost: all its trials at one T. The last column is the tokens of all of them
together until the first had solved T.
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
    parts.append(CONFIRMATION if comparison["seeds"].notna().any() else NOT_CONFIRMED)
    for task in tasks(comparison):
        rows = comparison[comparison["task"] == task]
        parts.append(f"## Task {task}\n")
        parts.append(f"Guessing has an accuracy of {task_chance(rows):.3g}.\n")
        for shows, table in wide_tables(rows).items():
            parts += [f"{shows}:\n", markdown_table(*table)]
        parts.append(_markdown_table(rows, searched))
        shown = [figure for figure in figures if figure.task == task]
        if not shown:
            parts.append("No T has a result yet, so there are no figures.\n")
        edges = edge_warnings(tables["edges"][tables["edges"]["task"] == task])
        parts += [EDGES, "".join(f"- {line}\n" for line in edges)] * bool(edges)
        parts += _pairs_part(tables["pairs"], task)
        parts += _costs_part(tables["costs"], task)
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
    rows = pairs[pairs["task"] == task].sort_values(
        ["outcome", "difference", "sooner"], ascending=[True, False, False]
    )
    if rows.empty:
        return []
    columns = (
        PrintedColumn("T", value("T")),
        PrintedColumn("by", value("outcome")),
        PrintedColumn("better", value("better")),
        PrintedColumn("than", value("worse")),
        PrintedColumn("difference", value("difference", ".2f")),
        PrintedColumn("95 % interval", interval("difference", ".2f", " to ")),
        PrintedColumn("P(sooner)", value("sooner", ".2f")),
        PrintedColumn("p (Holm)", value("p_holm", ".2g")),
        PrintedColumn("least p", value("p_least", ".2g")),
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
        PrintedColumn("trials", value("search_trials")),
        PrintedColumn("wall time (s)", value("wall_seconds", ".0f")),
        PrintedColumn("seconds of all trials", value("search_seconds", ".0f")),
        PrintedColumn("million tokens of all trials", value("search_tokens", ".3g", 1e6)),
        PrintedColumn("until T was solved", value("tokens_to_first_solve", ".3g", 1e6)),
    )
    return [COSTS, _table(columns, rows)]


def _trial_counts(row: Row) -> str:
    if row["state"].startswith(BROKEN):
        return MISSING
    return " / ".join(str(row[name]) for name in STATUS_COLUMNS.values())


def _markdown_table(comparison: pd.DataFrame, searched: Sequence[str]) -> str:
    confirmed = (
        PrintedColumn("solve rate", solve_rate),
        PrintedColumn("median", value("median_accuracy", ".4f")),
        PrintedColumn("lowest", value("lowest_accuracy", ".4f")),
        PrintedColumn("half within (M tokens)", value("median_tokens_to_solve", ".3g", 1e6)),
    )
    columns = (
        PrintedColumn("T", value("T")),
        PrintedColumn("model", value("label")),
        *(confirmed if comparison["seeds"].notna().any() else ()),
        PrintedColumn("test accuracy", value("accuracy", ".4f")),
        PrintedColumn("95 % interval", interval("accuracy")),
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
