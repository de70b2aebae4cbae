"""comparison.csv: the best trial of every study at every T."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from analysis.reading.studies import STUDY, Studies
from analysis.tables.confirmation import CONFIRMED, confirmed_winners
from analysis.tables.records import records
from studies import format as files
from studies.columns import (
    ACCURACY,
    ACCURACY_HIGH,
    ACCURACY_LOW,
    BEST,
    CURRICULUM_LENGTH,
    EXACT_MATCH,
    HIDDEN_SIZE,
    LADDER_ACCURACY,
    LEARNING_RATE,
    PARAMETERS,
    RECALLED_BITS,
    SECONDS,
    SECONDS_TO_SOLVE,
    SEED,
    TASK,
    TOKENS,
    TOKENS_TO_SOLVE,
    VALIDATION_ACCURACY,
    T,
    Table,
    real,
    text,
    whole,
)
from studies.reserved import HYPERPARAMETERS, RESERVED
from studies.seed_statistics import clopper_pearson
from studies.wording import counted

DONE = "done"
NOT_STARTED = "not started"
ALL_FAILED = "all trials failed"
WITHOUT_RESULT = "ended without a result"
SEARCHING = "searching, or interrupted"
BROKEN = "broken"

STATUS_COLUMNS = {status: f"trials_{status}" for status in files.STATUSES}

RACED = tuple(column for column in BEST.columns if column.name in ("race_seeds", "race_solved"))

LABEL = text("label", "the model, with its study where several studies of the task share it")
TRIAL_COUNT = whole("trials", "", "trials of the search at this T")

IDENTITY = (
    STUDY, LABEL, TASK,
    text("model", "a name in `copytask.MODELS`, or a cell of your own, by its file or module"),
    T,
    real("chance_accuracy", "share", "accuracy of guessing in the task"),
    text("state", "done, or why there is no result"),
    text("trial_id", "the best trial; the rest of the row is about it"),
)  # fmt: skip
SCORES = (
    PARAMETERS, ACCURACY, ACCURACY_LOW, ACCURACY_HIGH, EXACT_MATCH,
    real("exact_match_low", "share", "lower end of its exact 95 % interval (Clopper-Pearson)"),
    real("exact_match_high", "share", "upper end of the interval"),
    RECALLED_BITS, VALIDATION_ACCURACY, LADDER_ACCURACY, TOKENS_TO_SOLVE, SECONDS_TO_SOLVE, TOKENS,
    SECONDS,
)  # fmt: skip

COMPARISON = Table(
    "comparison.csv",
    "One row a (study, T): the best trial. Further columns are searched hyperparameters.",
    (
        *IDENTITY, LEARNING_RATE, HIDDEN_SIZE, CURRICULUM_LENGTH, SEED, *SCORES, *CONFIRMED,
        *RACED, TRIAL_COUNT,
        *(
            whole(name, "", f"trials that are {status.replace('_', ' ')}")
            for status, name in STATUS_COLUMNS.items()
        ),
        text("checkpoint", "weights of the best trial, relative to path"),
        text("path", "study directory"),
    ),
)  # fmt: skip


def compare_studies(studies: Studies) -> pd.DataFrame:
    """One row a (study, task, model, T), by task and T, and at each T as the studies were named.

    Columns: those of :data:`COMPARISON`, and further hyperparameters that were searched. Without a
    result, a row has only its state. A study whose study.yaml cannot be read has one row,
    without task, model and T.
    """
    searched = [str(name) for name in studies.best if name not in ("study", *BEST.names)]
    scores = [*HYPERPARAMETERS, *searched, *(column.name for column in (*SCORES, *RACED))]
    keys = ["study", "T"]
    best = studies.best.assign(**_exact_match_interval(studies))
    rows = studies.studies.merge(studies.lengths, on="study", how="left")
    rows = rows.merge(best[[*keys, "trial_id", *scores, "checkpoint"]], on=keys, how="left")
    rows = rows.merge(confirmed_winners(studies), on=keys, how="left")
    searched_trials = studies.trials[studies.trials["stage"] == files.SEARCH]
    for status, name in STATUS_COLUMNS.items():
        chosen = searched_trials[searched_trials["status"] == status]
        rows = rows.merge(_count(chosen, keys, name), on=keys, how="left")
    began = searched_trials[searched_trials["tokens"] > 0]
    rows = rows.merge(_count(began, keys, "reported"), on=keys, how="left")
    rows = rows.merge(_count(_ends(studies.events), keys, "ended"), on=keys, how="left")
    counts = list(STATUS_COLUMNS.values())
    counted_too = [*counts, "reported", "ended"]
    rows[counted_too] = rows[counted_too].astype("Int64").fillna(0)
    rows["trials"] = rows[counts].sum(axis=1)
    rows["state"] = [_state(row) for row in records(rows)]
    rows["label"] = _labels(rows)
    rows["chance_accuracy"] = rows["study"].map(studies.chances)
    rows = rows.sort_values(["task", "T"], kind="stable", ignore_index=True)
    before = len(IDENTITY) + len(HYPERPARAMETERS)
    return rows[[*COMPARISON.names[:before], *searched, *COMPARISON.names[before:]]]


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


def _ends(events: pd.DataFrame) -> pd.DataFrame:
    """The ends of searches at a T that have not begun again since."""
    of_lengths = events[events["event"].isin(("length_began", "length_ended"))]
    last = of_lengths.drop_duplicates(["study", "T"], keep="last")
    return last[last["event"] == "length_ended"]


def _count(rows: pd.DataFrame, keys: list[str], name: str) -> pd.DataFrame:
    return rows.groupby(keys).size().astype("Int64").rename(name).reset_index()


def _state(row: dict[str, Any]) -> str:
    if row["problem"]:
        return f"{BROKEN}: {row['problem']}"
    if row["trial_id"] is not None:
        return DONE
    if row["trials"] and row["trials"] == row[STATUS_COLUMNS[files.FAILED]]:
        return ALL_FAILED
    if row["ended"] and not row["reported"]:
        return WITHOUT_RESULT
    if not row["trials"]:
        return NOT_STARTED
    return f"{SEARCHING}: {counted(row['trials'], 'trial')} so far"


def short_state(state: str) -> str:
    """A state without its details, which the tables have."""
    return state.split(":")[0]


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
    found = {name: None for config in configs for name in searched_dimensions(config)}
    usual = [name for name in HYPERPARAMETERS if name in found]
    return usual + [name for name in found if name not in usual]


def searched_dimensions(config: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Name -> dimension of what a study searches and its tables can show.

    Args:
        config: of :attr:`analysis.reading.studies.Studies.configs`.
    """
    return {
        str(name): dimension
        for name, dimension in config["space"].items()
        if isinstance(dimension, Mapping) and name not in RESERVED
    }


def tasks(comparison: pd.DataFrame) -> list[str]:
    """The tasks of the comparison, sorted."""
    return sorted(comparison["task"].dropna().unique())


def task_chance(rows: pd.DataFrame) -> float:
    """Accuracy of guessing in the task of these rows: the highest if their studies differ."""
    return float(rows["chance_accuracy"].max())


def problems(comparison: pd.DataFrame) -> list[str]:
    """One line for each broken study: its path and what is wrong."""
    broken = comparison[comparison["state"].str.startswith(BROKEN)]
    return [
        f"{path}: {state.removeprefix(f'{BROKEN}: ')}"
        for path, state in broken[["path", "state"]].drop_duplicates().itertuples(index=False)
    ]
