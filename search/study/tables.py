"""The CSV files of a study: what its history amounts to, for people and for analysis."""

import dataclasses
from collections.abc import Iterator
from operator import attrgetter

from search.config.conditions import SearchSpace
from search.storage.csv_tables import Row, write_rows
from search.study.history import History
from search.study.reach import reach_rows, reaches
from search.study.records import TrialRecord
from studies import format as files
from studies.columns import BEST, CONFIRM, PROGRESS, REACH, TRIALS
from studies.events import Point
from studies.paths import StudyPath

POINT_FIELDS = [field.name for field in dataclasses.fields(Point)]
values_of = attrgetter(*POINT_FIELDS)


def write_tables(path: StudyPath, history: History) -> None:
    """Rewrite the CSV files of the study at ``path``.

    Raises:
        OSError: one cannot be written.
    """
    space = history.space
    extra = [name for name in space.dimensions if name not in TRIALS.names]
    trials = history.trials
    ranks = {
        trial.id: place for T in history.lengths for place, trial in enumerate(history.ranked(T), 1)
    }
    # First the curves: a comparison reads them last, so it finds those of all trials that it knows.
    write_rows(
        path / files.PROGRESS_FILE,
        PROGRESS.names,
        lambda: (row for trial in trials.values() for row in curve_rows(trial)),
    )
    write_rows(
        path / files.TRIALS_FILE,
        (*TRIALS.names, *extra),
        lambda: (trial_row(trial, space, ranks.get(trial.id)) for trial in trials.values()),
    )
    best = [history.best[T] for T in sorted(history.best)]
    write_rows(
        path / files.BEST_FILE,
        (*BEST.names, *extra),
        lambda: (
            trial_row(trials[tested.trial_id], space, ranks.get(tested.trial_id))
            | race_cells(history, trials[tested.trial_id])
            | dataclasses.asdict(tested)
            for tested in best
        ),
    )
    confirmed = [
        trial
        for length in history.lengths.values()
        for trial in length.confirmations
        if trial.tested
    ]
    if confirmed:
        write_rows(
            path / files.CONFIRM_FILE,
            (*CONFIRM.names, *extra),
            lambda: (confirmation_row(trial, space) for trial in confirmed),
        )
    if reaches(history):
        write_rows(path / files.REACH_FILE, REACH.names, lambda: reach_rows(history))


def trial_row(trial: TrialRecord, space: SearchSpace, rank: int | None = None) -> Row:
    """The row of a trial in trials.csv, and more.

    Args:
        space: a hyperparameter whose condition does not hold has an empty cell.
        rank: its place in the ranking at its T, if it has one.
    """
    last, best = trial.last, trial.best
    return {
        **space.without_unsearched(trial.hyperparameters),
        "trial_id": trial.id,
        "status": trial.status,
        "parameters": trial.parameters,
        "state_floats": trial.state_floats,
        "tokens": last and last.tokens,
        "seconds": last and last.seconds,
        "validation_accuracy": best and best.validation_accuracy,
        "ladder_accuracy": best and best.ladder_accuracy,
        "tokens_to_solve": last and last.tokens_to_solve,
        "seconds_to_solve": last and last.seconds_to_solve,
        "error": trial.error,
        "stage": trial.stage,
        "host": trial.host,
        "gpus": trial.gpus,
        "rank": rank,
    }


def race_cells(history: History, trial: TrialRecord) -> Row:
    """How the configuration of a trial in best.csv did in the race at its T."""
    record = history.race(trial.T).record_of(trial)
    return {"race_seeds": record and record.seeds, "race_solved": record and record.solved}


def curve_rows(trial: TrialRecord) -> Iterator[Row]:
    """The rows of a trial in progress.csv."""
    row = {name: trial.training[name] for name in ("model", "task", "T")} | {"trial_id": trial.id}
    for point in trial.curve:
        yield row | dict(zip(POINT_FIELDS, values_of(point), strict=True))


def confirmation_row(trial: TrialRecord, space: SearchSpace) -> Row:
    """The row of a confirmation in confirm.csv, and more."""
    scores = dataclasses.asdict(trial.scores) if trial.scores else {}
    return trial_row(trial, space) | {"confirms": trial.confirms} | scores
