"""The comparison of all studies, as a data frame and a console table."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd
from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from analysis.figures.labels import wrapped
from analysis.reading.studies import Studies
from analysis.tables.confirmation import CONFIRMED, confirmed_winners
from studies import format as files
from studies.seed_statistics import clopper_pearson

DONE = "done"
NOT_STARTED = "not started"
ALL_FAILED = "all trials failed"
SEARCHING = "searching, or interrupted"
BROKEN = "broken"

MISSING = "-"
WORDS_WIDTH = 12  # characters: what 80 columns leave for a column of words, at the least

WORDS = ("model", "state")
"""Columns of the console's table that hold words."""

STATUS_COLUMNS = {status: f"trials_{status}" for status in files.STATUSES}
HYPERPARAMETERS = ("learning_rate", "hidden_size", "curriculum_length", "seed")
SCORES = (
    "parameters",
    "accuracy",
    "accuracy_low",
    "accuracy_high",
    "exact_match",
    "exact_match_low",
    "exact_match_high",
    "recalled_bits",
    "validation_accuracy",
    "ladder_accuracy",
    "tokens_to_solve",
    "seconds_to_solve",
    "tokens",
    "seconds",
)


def compare_studies(studies: Studies) -> pd.DataFrame:
    """One row a (study, task, model, T), sorted by task, T and model.

    Columns: those of comparison.csv in :mod:`analysis.tables.columns`, and further hyperparameters
    that were searched. Cells without a result have only a state. A study whose study.yaml cannot be
    read has one row, without task, model, T.
    """
    searched = [str(name) for name in studies.best if name not in ("study", *files.BEST_COLUMNS)]
    scores = [*HYPERPARAMETERS, *searched, *SCORES]
    keys = ["study", "T"]
    best = studies.best.assign(**_exact_match_interval(studies))
    rows = studies.studies.merge(studies.lengths, on="study", how="left")
    rows = rows.merge(best[[*keys, "trial_id", *scores, "checkpoint"]], on=keys, how="left")
    rows = rows.merge(confirmed_winners(studies), on=keys, how="left")
    searched_trials = studies.trials[studies.trials["stage"] == files.SEARCH]
    for status, name in STATUS_COLUMNS.items():
        chosen = searched_trials[searched_trials["status"] == status]
        rows = rows.merge(_count(chosen, keys, name), on=keys, how="left")
    counts = list(STATUS_COLUMNS.values())
    rows[counts] = rows[counts].astype("Int64").fillna(0)
    rows["trials"] = rows[counts].sum(axis=1)
    rows["state"] = [_state(row) for row in records(rows)]
    rows["label"] = _labels(rows)
    rows = rows.sort_values(["task", "T", "model", "study"], ignore_index=True)
    identity = ["study", "label", "task", "model", "T", "state", "trial_id"]
    return rows[[*identity, *scores, *CONFIRMED, "trials", *counts, "checkpoint", "path"]]


def _exact_match_interval(studies: Studies) -> dict[str, list[float]]:
    """Ends of the exact 95 % interval of each best trial's exact match: payloads are whole."""
    ends = []
    for study, share in zip(studies.best["study"], studies.best["exact_match"], strict=True):
        n = studies.configs[study]["search"].get("test_payloads")
        if isinstance(n, int) and pd.notna(share):
            ends.append(clopper_pearson(round(share * n), n))
        else:
            ends.append((math.nan, math.nan))
    return {
        name: [pair[index] for pair in ends]
        for index, name in enumerate(("exact_match_low", "exact_match_high"))
    }


def _count(rows: pd.DataFrame, keys: list[str], name: str) -> pd.DataFrame:
    return rows.groupby(keys).size().astype("Int64").rename(name).reset_index()


def _state(row: dict[str, Any]) -> str:
    if row["problem"]:
        return f"{BROKEN}: {row['problem']}"
    if row["trial_id"] is not None:
        return DONE
    if not row["trials"]:
        return NOT_STARTED
    if row["trials"] == row[STATUS_COLUMNS[files.FAILED]]:
        return ALL_FAILED
    return f"{SEARCHING}: {row['trials']} trial{'s' * (row['trials'] > 1)} so far"


def _labels(rows: pd.DataFrame) -> list[str]:
    sharing = rows.groupby(["task", "model"])["study"].nunique()
    labels = []
    for row in records(rows):
        if row["model"] is None:
            labels.append(row["study"])
        elif sharing[row["task"], row["model"]] == 1:
            labels.append(row["model"])
        else:
            labels.append(f"{row['model']} ({row['study']})")
    return labels


def searched_hyperparameters(configs: Iterable[Mapping[str, Any]]) -> list[str]:
    """What any of these studies searches: the usual hyperparameters first, then the others.

    Args:
        configs: values of :attr:`analysis.reading.studies.Studies.configs`. A plain value in
            ``space`` is fixed.
    """
    found = {
        str(name): None
        for config in configs
        for name, dimension in config["space"].items()
        if isinstance(dimension, Mapping)
    }
    usual = [name for name in HYPERPARAMETERS if name in found]
    return usual + [name for name in found if name not in usual]


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows as dictionaries, with None for every kind of missing value."""
    return [
        {str(name): None if pd.isna(value) else value for name, value in record.items()}
        for record in frame.to_dict(orient="records")
    ]


def tasks(comparison: pd.DataFrame) -> list[str]:
    """The tasks of the comparison, sorted."""
    return sorted(comparison["task"].dropna().unique())


class Column(NamedTuple):
    """A column of a printed table: its header, and the text of its cell in a row."""

    header: str
    text: Callable[[dict[str, Any]], str]


def value_text(name: str, form: str = "", scale: float = 1) -> Callable[[dict[str, Any]], str]:
    """The text of a value divided by ``scale``, in a form of :func:`format`."""

    def text(row: dict[str, Any]) -> str:
        value = row[name]
        if value is None or isinstance(value, str):
            return value or MISSING
        return format(value / scale if scale != 1 else value, form)

    return text


def interval_text(row: dict[str, Any]) -> str:
    """The text of the interval of a row's test accuracy."""
    if row["accuracy_low"] is None or row["accuracy_high"] is None:
        return MISSING
    return f"{row['accuracy_low']:.3f}-{row['accuracy_high']:.3f}"


def _short_state(row: dict[str, Any]) -> str:
    return BROKEN if row["state"].startswith(BROKEN) else row["state"]


class _Words:
    """A label or a state, broken between its words: a cell that is a rich renderable."""

    def __init__(self, text: str):
        self._text = text

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield Text(wrapped(self._text, options.max_width))

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(min(WORDS_WIDTH, len(self._text)), len(self._text))


SHORT_FORMS = {
    "learning_rate": Column("lr", value_text("learning_rate", ".1e")),
    "hidden_size": Column("h", value_text("hidden_size")),
    "curriculum_length": Column("curr.", value_text("curriculum_length")),
}
"""Columns of hyperparameters in narrow tables, which docs/glossary.md explains."""

MOST_HYPERPARAMETERS = 3
"""Columns of them that 80 columns have room for."""


def console_table(comparison: pd.DataFrame, searched: Sequence[str]) -> Table:
    """The comparison for a terminal of 80 columns.

    Args:
        searched: of :func:`searched_hyperparameters`; the first few have a column.
    """
    names = [name for name in searched if name in comparison][:MOST_HYPERPARAMETERS]
    hyperparameters = [
        SHORT_FORMS.get(name) or Column(name.replace("_", "\n"), value_text(name, ".3g"))
        for name in names
    ]
    explained = [
        f"{column.header}: {name.replace('_', ' ')}"
        for name, column in zip(names, hyperparameters, strict=True)
        if name in SHORT_FORMS
    ]
    more = [name for name in searched if name not in names]
    columns = (
        Column("T", value_text("T")),
        Column("model", value_text("label")),
        Column("acc.", value_text("accuracy", ".3f")),
        Column("95 %", interval_text),
        Column("Mtok", value_text("tokens_to_solve", ".3g", 1e6)),
        Column("s", value_text("seconds_to_solve", ".0f")),
        *hyperparameters,
        Column("state", _short_state),
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
    for column in columns:
        words = column.header in WORDS
        # Long names and states wrap, the numbers never do.
        table.add_column(column.header, justify="left" if words else "right", no_wrap=not words)
    for task, rows in comparison.groupby("task", sort=False, dropna=False):
        table.add_section()
        table.add_row("", "no task:" if pd.isna(task) else str(task) + ":", style="bold")
        for row in records(rows):
            cells = [(column.header, column.text(row)) for column in columns]
            table.add_row(*(_Words(text) if name in WORDS else text for name, text in cells))
    return table


def problems(comparison: pd.DataFrame) -> list[str]:
    """One line for each broken study: its path and what is wrong."""
    broken = comparison[comparison["state"].str.startswith(BROKEN)]
    return [
        f"{path}: {state.removeprefix(f'{BROKEN}: ')}"
        for path, state in broken[["path", "state"]].drop_duplicates().itertuples(index=False)
    ]
