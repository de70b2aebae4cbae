"""The CSV files of a study: what its history amounts to, for people and for analysis."""

from search.storage.csv_tables import write_rows
from search.study.history import History
from studies import format as files
from studies.columns import BEST, CONFIRM, PROGRESS, TRIALS
from studies.paths import StudyPath


def write_tables(path: StudyPath, history: History) -> None:
    """Rewrite the CSV files of the study at ``path``.

    Raises:
        OSError: one cannot be written.
    """
    extra = [name for name in history.config.dimensions() if name not in TRIALS.names]
    trials = history.trials.values()
    write_rows(
        path / files.TRIALS_FILE,
        (*TRIALS.names, *extra),
        (trial.row for trial in trials),
    )
    curves = (point for trial in trials for point in trial.curve)
    write_rows(path / files.PROGRESS_FILE, PROGRESS.names, curves)
    best = [history.best[T] for T in sorted(history.best)]
    write_rows(path / files.BEST_FILE, (*BEST.names, *extra), best)
    if confirmed := [row for T in history.config.T for row in history.confirmed(T)]:
        columns = (*CONFIRM.names, *extra)
        rows = ({name: row.get(name) for name in columns} for row in confirmed)
        write_rows(path / files.CONFIRM_FILE, columns, rows)
