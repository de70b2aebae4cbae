"""The comparison as a Markdown page."""

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from analysis.figures.drawing import MissingFigure, RenderedFigure
from analysis.report.accuracy_table import short_markdown
from analysis.tables.comparison import (
    BROKEN,
    MISSING,
    STATUS_COLUMNS,
    Column,
    interval_text,
    problems,
    records,
    tasks,
    value_text,
)
from analysis.tables.registry import NAME
from studies.seed_statistics import BEST_OF_MANY

MOST_PAIRS = 20

INTRODUCTION = """\
# Comparison of the models on the copy task

Each row is the best trial that a search found for one model at one length T. The search picked
it out of many trials by its accuracy on validation data; the accuracy, exact match and recalled
bits given here were measured on test data, which chose nothing. The 95 % interval is over test
payloads of that one trained model: it does not tell how much another random seed would change.
A model solves T when its validation accuracy at T is at least 0.99 at two evaluations in a row;
guessing has an accuracy of 0.1.
"""

CONFIRMATION = f"""\
"Mean over seeds" is the mean test accuracy of the same configuration trained again with fresh
seeds, each tested on payloads of its own, with a 95 % interval over seeds (Student's t);
"solved" says how many of them solved T, with a 95 % interval of the share that does
(Clopper-Pearson). {BEST_OF_MANY}
"""


PAIRS = """\
Differences of test accuracy at the largest T, with 95 % intervals. Over payloads, two trained
networks are compared; over seeds, two architectures with their best configurations. p-values are
corrected for all pairs at this T (Holm). All T are in pairs.csv.
"""

COSTS = """\
What each result has cost: tokens and seconds of all trials at its T. At equal tokens and seconds,
each model's best trial is cut to what the shortest one had; at equal parameters, each search has
its best trial of no more than the least of their largest models. These three are accuracies on
validation data.
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
        parts.append(short_markdown(rows))
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
        Column("T", value_text("T")),
        Column("over", value_text("basis")),
        Column("better", value_text("better")),
        Column("than", value_text("worse")),
        Column("difference", value_text("difference", ".4f")),
        Column("95 % interval", _difference_interval),
        Column("P(better seed)", value_text("superiority", ".2f")),
        Column("p (Holm)", value_text("p_holm", ".2g")),
    )
    more = f"The first {MOST_PAIRS} of {len(rows)}.\n" if len(rows) > MOST_PAIRS else ""
    return [PAIRS, _table(columns, rows.head(MOST_PAIRS)), more]


def _difference_interval(row: dict[str, Any]) -> str:
    return f"{row['difference_low']:.4f} to {row['difference_high']:.4f}"


def _costs_part(costs: pd.DataFrame, task: str) -> list[str]:
    rows = costs[costs["task"] == task]
    if rows.empty:
        return []
    columns = (
        Column("T", value_text("T")),
        Column("model", value_text("label")),
        Column("test accuracy", value_text("accuracy", ".4f")),
        Column("parameters", value_text("parameters", ",")),
        Column("trials", value_text("trials")),
        Column("million tokens of all", value_text("search_tokens", ".3g", 1e6)),
        Column("seconds of all", value_text("search_seconds", ".0f")),
        Column("at equal tokens", value_text("accuracy_at_equal_tokens", ".4f")),
        Column("at equal seconds", value_text("accuracy_at_equal_seconds", ".4f")),
        Column("at equal parameters", value_text("accuracy_at_equal_parameters", ".4f")),
    )
    return [COSTS, _table(columns, rows)]


def _mean_interval(row: dict[str, Any]) -> str:
    if row["seeds"] is None:
        return MISSING
    return f"{row['mean_accuracy_low']:.3f}-{row['mean_accuracy_high']:.3f}"


def _solved_seeds(row: dict[str, Any]) -> str:
    if row["seeds"] is None:
        return MISSING
    share = f"{row['solved_low']:.2f}-{row['solved_high']:.2f}"
    return f"{row['seeds_solved']}/{row['seeds']} ({share})"


def _trial_counts(row: dict[str, Any]) -> str:
    if row["state"].startswith(BROKEN):
        return MISSING
    return " / ".join(str(row[name]) for name in STATUS_COLUMNS.values())


def _markdown_table(comparison: pd.DataFrame, searched: Sequence[str]) -> str:
    confirmed = (
        Column("mean over seeds", value_text("mean_accuracy", ".4f")),
        Column("95 % interval of the mean", _mean_interval),
        Column("solved", _solved_seeds),
    )
    columns = (
        Column("T", value_text("T")),
        Column("model", value_text("label")),
        Column("test accuracy", value_text("accuracy", ".4f")),
        Column("95 % interval", interval_text),
        *(confirmed if comparison["seeds"].notna().any() else ()),
        Column("exact match", value_text("exact_match", ".4f")),
        Column("recalled bits", value_text("recalled_bits", ".1f")),
        Column("million tokens to solve", value_text("tokens_to_solve", ".3g", 1e6)),
        Column("seconds to solve", value_text("seconds_to_solve", ".0f")),
        Column("million tokens", value_text("tokens", ".3g", 1e6)),
        Column("seconds", value_text("seconds", ".0f")),
        *(
            Column(name.replace("_", " "), value_text(name, ".4g"))
            for name in searched
            if name in comparison and comparison[name].notna().any()
        ),
        Column("parameters", value_text("parameters", ",")),
        Column("validation accuracy", value_text("validation_accuracy", ".4f")),
        Column("trials", value_text("trials")),
        Column(" / ".join(STATUS_COLUMNS).replace("_", " "), _trial_counts),
        Column("state", value_text("state")),
        Column("study", value_text("study")),
    )
    return _table(columns, comparison)


def _table(columns: Sequence[Column], rows: pd.DataFrame) -> str:
    lines = [[column.header for column in columns], ["---"] * len(columns)]
    lines += [[column.text(row) for column in columns] for row in records(rows)]
    return "".join(_markdown_line(cells) for cells in lines)


def _markdown_line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"
