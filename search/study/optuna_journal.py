"""Optuna's journal file in a study directory."""

import json
from pathlib import Path

from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend

from studies.event_files import whole_lines


def open_journal(path: Path) -> JournalStorage:
    """The storage kept in the file at ``path``, which is made if need be.

    Only the process that holds the study's lock writes to the file. So half a line at its end,
    and Optuna's own lock file, are what a killed process left behind, and are removed. A file
    with a damaged line is set aside: a new one is made from what the search knows.

    Raises:
        OSError: the file cannot be written.
    """
    path.with_name(path.name + ".lock").unlink(missing_ok=True)
    if path.exists():
        with path.open("rb+") as file:
            file.truncate(whole_lines(path.read_bytes()))
        try:
            for line in path.read_bytes().splitlines():
                json.loads(line)
        except ValueError:
            path.replace(path.with_name(path.name + ".damaged"))
    return JournalStorage(JournalFileBackend(str(path)))
