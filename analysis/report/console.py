"""The comparison as tables for a terminal of 80 columns."""

from collections.abc import Sequence

import pandas as pd
from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from analysis.figures.labels import wrapped
from analysis.report.cells import PrintedColumn, Row, interval, value
from analysis.tables.comparison import BROKEN
from analysis.tables.records import records
from studies.columns import SHORT_FORMS
from studies.seed_statistics import BEST_OF_MANY

NOT_CONFIRMED = (
    "No winner was confirmed with fresh seeds, so solve rates are not known: search with "
    "--confirm-seeds 5, also with --resume in a finished study."
)

WORDS_WIDTH = 12
"""Characters that 80 columns leave for a column of words, at the least."""

FORMATS = {"learning_rate": ".1e", "hidden_size": "", "curriculum_length": ""}
"""How to print hyperparameters, where not with three digits."""

MOST_HYPERPARAMETERS = 3
"""Columns of hyperparameters that 80 columns have room for."""


def comparison_table(comparison: pd.DataFrame, searched: Sequence[str]) -> Table:
    """The best trial of every study at every T.

    Args:
        searched: of :func:`analysis.tables.comparison.searched_hyperparameters`; the first few
            have a column.
    """
    names = [name for name in searched if name in comparison][:MOST_HYPERPARAMETERS]
    hyperparameters = [
        PrintedColumn(
            SHORT_FORMS.get(name, name.replace("_", "\n")), value(name, FORMATS.get(name, ".3g"))
        )
        for name in names
    ]
    explained = [
        f"{SHORT_FORMS[name]}: {name.replace('_', ' ')}" for name in names if name in SHORT_FORMS
    ]
    more = [name for name in searched if name not in names]
    columns = (
        PrintedColumn("T", value("T")),
        PrintedColumn("model", value("label"), numeric=False),
        PrintedColumn("acc.", value("accuracy", ".3f")),
        PrintedColumn("95 %", interval("accuracy")),
        PrintedColumn("Mtok", value("tokens_to_solve", ".3g", 1e6)),
        PrintedColumn("s", value("seconds_to_solve", ".0f")),
        *hyperparameters,
        PrintedColumn("state", _state, numeric=False),
    )
    table = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=0,
        caption="acc.: of the best trial on test data. Mtok, s: million tokens and seconds to "
        f"solve T (-: not solved). {', '.join(explained)}{'.' * bool(explained)}"
        + f" comparison.csv has {', '.join(more)}."
        * bool(more),
        caption_justify="left",
    )
    _add_columns(table, columns)
    for task, rows in comparison.groupby("task", sort=False, dropna=False):
        table.add_section()
        table.add_row("", "no task:" if pd.isna(task) else str(task) + ":", style="bold")
        for row in records(rows):
            _add_row(table, columns, row)
    return table


def _state(row: Row) -> str:
    return BROKEN if row["state"].startswith(BROKEN) else str(row["state"])


class _Words:
    """A label or a state as a renderable of rich, broken between its words."""

    def __init__(self, text: str):
        self._text = text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text(wrapped(self._text, options.max_width))

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(min(WORDS_WIDTH, len(self._text)), len(self._text))


def confirmation_table(comparison: pd.DataFrame) -> Table | None:
    """The winners trained again with fresh seeds; None if there are none."""
    rows = comparison[comparison["seeds"].notna()]
    if rows.empty:
        return None
    columns = (
        PrintedColumn("task", value("task"), numeric=False),
        PrintedColumn("T", value("T")),
        PrintedColumn("model", value("label"), numeric=False),
        PrintedColumn("solved", lambda row: f"{row['seeds_solved']}/{row['seeds']}"),
        PrintedColumn("95 %", interval("solve_rate", ".2f")),
        PrintedColumn("median acc.", value("median_accuracy", ".3f")),
        PrintedColumn("lowest", value("lowest_accuracy", ".3f")),
        PrintedColumn("Mtok", value("median_tokens_to_solve", ".3g", 1e6)),
    )
    table = Table(
        title="The best configurations with fresh seeds",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=0,
        caption="Mtok: million tokens within which half of the seeds solve T (-: fewer than half "
        f"do). {BEST_OF_MANY}",
        caption_justify="left",
    )
    _add_columns(table, columns)
    for row in records(rows):
        _add_row(table, columns, row)
    return table


def _add_columns(table: Table, columns: Sequence[PrintedColumn]) -> None:
    """Long names and states wrap, the numbers never do."""
    for column in columns:
        table.add_column(
            column.header,
            justify="right" if column.numeric else "left",
            no_wrap=column.numeric,
        )


def _add_row(table: Table, columns: Sequence[PrintedColumn], row: Row) -> None:
    cells = [(column, column.text(row)) for column in columns]
    table.add_row(*(text if column.numeric else _Words(text) for column, text in cells))
