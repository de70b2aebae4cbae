"""The comparison of all studies, as a data frame, Markdown and a console table."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import pandas as pd
from rich import box
from rich.table import Table

import study_format as files
from analysis.confirmation import CONFIRMED, confirmed_winners
from analysis.study_data import Studies
from seed_statistics import BEST_OF_MANY

DONE = "done"
NOT_STARTED = "not started"
ALL_FAILED = "all trials failed"
SEARCHING = "searching, or interrupted"
BROKEN = "broken"

MISSING = "-"
WORDS_WIDTH = 12  # characters: what 80 columns leave for a column of words

STATUS_COLUMNS = {status: f"trials_{status}" for status in files.STATUSES}
HYPERPARAMETERS = ("learning_rate", "hidden_size", "curriculum_length", "seed")
SCORES = (
    "parameters",
    "accuracy",
    "accuracy_low",
    "accuracy_high",
    "exact_match",
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

    Columns: study, label (the model, or "model (study)" where several studies of a task share
    it), task, model, T, state; of the best trial its trial_id, hyperparameters and scores, with
    the units of :mod:`study_format`; what fresh seeds made of it, see
    :func:`analysis.confirmation.confirmed_winners`; the number of trials of the search, and of
    those with each status (``trials_completed``, ...); checkpoint, relative to path; path. Cells
    without a result have only a state. A study whose study.yaml cannot be read has one row,
    without task, model, T.
    """
    searched = [str(name) for name in studies.best if name not in ("study", *files.BEST_COLUMNS)]
    scores = [*HYPERPARAMETERS, *searched, *SCORES]
    keys = ["study", "T"]
    rows = studies.studies.merge(studies.lengths, on="study", how="left")
    rows = rows.merge(studies.best[[*keys, "trial_id", *scores, "checkpoint"]], on=keys, how="left")
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


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows as dictionaries, with None for every kind of missing value."""
    return [
        {str(name): None if pd.isna(value) else value for name, value in record.items()}
        for record in frame.to_dict(orient="records")
    ]


def tasks(comparison: pd.DataFrame) -> list[str]:
    """The tasks of the comparison, sorted."""
    return sorted(comparison["task"].dropna().unique())


class _Column(NamedTuple):
    header: str
    text: Callable[[dict[str, Any]], str]


def _value(name: str, form: str = "", scale: float = 1) -> Callable[[dict[str, Any]], str]:
    def text(row: dict[str, Any]) -> str:
        value = row[name]
        if value is None or isinstance(value, str):
            return value or MISSING
        return format(value / scale if scale != 1 else value, form)

    return text


def _interval(row: dict[str, Any]) -> str:
    if row["accuracy_low"] is None or row["accuracy_high"] is None:
        return MISSING
    return f"{row['accuracy_low']:.3f}-{row['accuracy_high']:.3f}"


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


def _short_state(row: dict[str, Any]) -> str:
    return BROKEN if row["state"].startswith(BROKEN) else row["state"]


def console_table(comparison: pd.DataFrame) -> Table:
    """The comparison for a terminal of 80 columns."""
    columns = (
        _Column("T", _value("T")),
        _Column("model", _value("label")),
        _Column("acc.", _value("accuracy", ".3f")),
        _Column("95 %", _interval),
        _Column("Mtok", _value("tokens_to_solve", ".3g", 1e6)),
        _Column("s", _value("seconds_to_solve", ".0f")),
        _Column("lr", _value("learning_rate", ".1e")),
        _Column("size", _value("hidden_size")),
        _Column("curr.", _value("curriculum_length")),
        _Column("state", _short_state),
    )
    table = Table(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=0,
        caption="acc.: of the best trial on test data. Mtok, s: million tokens and seconds to "
        "solve T (-: not solved). lr, size, curr.: its hyperparameters.",
        caption_justify="left",
    )
    for column in columns:
        words = column.header in ("model", "state")
        table.add_column(
            column.header,
            justify="left" if words else "right",
            no_wrap=not words,
            overflow="fold",
            # Long names and states wrap, the numbers never do.
            min_width=WORDS_WIDTH if words else None,
        )
    for task, rows in comparison.groupby("task", sort=False, dropna=False):
        table.add_section()
        table.add_row("", "no task:" if pd.isna(task) else str(task) + ":", style="bold")
        for row in records(rows):
            table.add_row(*(column.text(row) for column in columns))
    return table


def problems(comparison: pd.DataFrame) -> list[str]:
    """One line for each broken study: its path and what is wrong."""
    broken = comparison[comparison["state"].str.startswith(BROKEN)]
    return [
        f"{path}: {state.removeprefix(f'{BROKEN}: ')}"
        for path, state in broken[["path", "state"]].drop_duplicates().itertuples(index=False)
    ]


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


def markdown(comparison: pd.DataFrame, figures: Iterable[tuple[str, str, str]]) -> str:
    """The comparison as a Markdown page that shows the figures.

    Args:
        comparison: of :func:`compare_studies`.
        figures: (task, file name of the image, what it shows) of each.
    """
    figures = list(figures)
    parts = [INTRODUCTION]
    if comparison["seeds"].notna().any():
        parts.append(CONFIRMATION)
    for task in tasks(comparison):
        parts.append(f"## Task {task}\n")
        parts.append(_markdown_table(comparison[comparison["task"] == task]))
        parts += [f"![{text}]({file})\n" for of_task, file, text in figures if of_task == task]
        if not any(of_task == task for of_task, _, _ in figures):
            parts.append("No T has a result yet, so there are no figures.\n")
    broken = problems(comparison)
    if broken:
        parts.append("## Studies that cannot be read\n")
        parts.append("".join(f"- {line}\n" for line in broken))
    return "\n".join(parts)


def _markdown_table(comparison: pd.DataFrame) -> str:
    fixed = ("study", "label", "task", "model", "T", "state", "trial_id", "checkpoint", "path")
    known = (
        *fixed, *HYPERPARAMETERS, *SCORES, *CONFIRMED, "trials", *STATUS_COLUMNS.values(),
    )  # fmt: skip
    confirmed = (
        _Column("mean over seeds", _value("mean_accuracy", ".4f")),
        _Column("95 % interval of the mean", _mean_interval),
        _Column("solved", _solved_seeds),
    )
    columns = (
        _Column("T", _value("T")),
        _Column("model", _value("label")),
        _Column("test accuracy", _value("accuracy", ".4f")),
        _Column("95 % interval", _interval),
        *(confirmed if comparison["seeds"].notna().any() else ()),
        _Column("exact match", _value("exact_match", ".4f")),
        _Column("recalled bits", _value("recalled_bits", ".1f")),
        _Column("million tokens to solve", _value("tokens_to_solve", ".3g", 1e6)),
        _Column("seconds to solve", _value("seconds_to_solve", ".0f")),
        _Column("million tokens", _value("tokens", ".3g", 1e6)),
        _Column("seconds", _value("seconds", ".0f")),
        _Column("learning rate", _value("learning_rate", ".2e")),
        _Column("hidden size", _value("hidden_size")),
        _Column("curriculum length (steps)", _value("curriculum_length")),
        *(
            _Column(name, _value(name, ".4g"))
            for name in map(str, comparison)
            if name not in known and comparison[name].notna().any()
        ),
        _Column("parameters", _value("parameters", ",")),
        _Column("validation accuracy", _value("validation_accuracy", ".4f")),
        _Column("trials", _value("trials")),
        _Column(" / ".join(STATUS_COLUMNS).replace("_", " "), _trial_counts),
        _Column("state", _value("state")),
        _Column("study", _value("study")),
    )
    lines = [[column.header for column in columns], ["---"] * len(columns)]
    lines += [[column.text(row) for column in columns] for row in records(comparison)]
    return "".join(_markdown_line(cells) for cells in lines)


def _markdown_line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"
