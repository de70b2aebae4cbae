"""The files of a study directory: the contract between ``search`` and ``analysis``.

``search`` writes these files and ``analysis`` reads them; neither imports the other. The columns
of the tables are in :mod:`studies.columns`.
"""

from collections.abc import Mapping
from typing import Any

SCHEMA_VERSION = 1
"""Grows when a column or file changes its meaning. Written into study.yaml."""

STUDY_FILE = "study.yaml"
"""Holds schema_version, config (model, task, T, ...: a StudyConfig of ``search.config``) and
provenance (versions, git revision, host, seed)."""

EARLIER_DEFAULTS: dict[str, dict[str, Any]] = {
    "training": {"batch_size": 64, "validation_payloads": 64},
    "search": {"patience": None},
}
"""What a study had whose study.yaml lacks the key; by now the defaults are others."""

FORMER_KEYS = {"search": ("prior",)}
"""Keys of sections that earlier versions wrote and this one has no use for."""

EARLIER_FINAL: dict[str, Any] = {"stop_when_solved": False, "validation_payloads": 500}
"""What it had if the whole section ``final`` is missing."""

TRIALS_FILE = "trials.csv"
PROGRESS_FILE = "progress.csv"
BEST_FILE = "best.csv"
CONFIRM_FILE = "confirm.csv"  # only of a study that confirms, see search.confirm_seeds
GENERALIZATION_FILE = "generalization.csv"  # only after python -m search.generalize
EVENTS_FILE = "events.jsonl"  # all that happened, in order; what a resumed search goes on from
OPTUNA_FILE = "optuna.journal"  # Optuna's view of the same, a study "T=..." for each T
LOG_FILE = "search.log"  # what Ray and its workers print
CHECKPOINTS_FOLDER = "checkpoints"  # T=.../: the best model
TENSORBOARD_FOLDER = "tensorboard"  # TRIAL/: event files, see search.tensorboard
RAY_FOLDER = "ray"  # T=.../TRIAL/: checkpoints of the trials that run, and of the best so far

COMPLETED = "completed"  # solved T, or spent its whole token budget
STOPPED_EARLY = "stopped_early"  # stopped by the scheduler
FAILED = "failed"  # diverged or crashed; the column error says how
INTERRUPTED = "interrupted"  # not finished: still running, or cut off with the search at its T
STATUSES = (COMPLETED, STOPPED_EARLY, FAILED, INTERRUPTED)

SEARCH = "search"  # one of the trials that are compared
FINAL = "final"  # the best of them at its T, trained again for longer
CONFIRM = "confirm"  # the winner at its T, trained again with a fresh seed
STAGES = (SEARCH, FINAL, CONFIRM)

SOLVED_ACCURACY = 0.99
"""A training solves T when its validation accuracy at T is at least this at two evaluations in a
row."""

CHANCE_ACCURACY = 0.1
"""Accuracy of guessing one of ten symbols."""

PLACE_COLUMNS = ("host", "gpus")
"""Columns of trials.csv and best.csv that studies made before there were clusters lack."""


def model_label(model: str) -> str:
    """A model as it is shown, and as a study is called after it.

    Of a cell in a file, ``/folder/file.py:factory``, the study holds the whole path.
    """
    file, _, factory = model.rpartition(":")
    return f"{file.rpartition('/')[2]}:{factory}" if file.endswith(".py") else model


def recorded_values(config: Mapping[str, Any]) -> dict[str, Any]:
    """The config of a study.yaml of any version, in the keys of this one.

    Where an earlier version left a key out, the value is what the study had.
    """
    values = {"final": dict(EARLIER_FINAL), **config}
    for section, earlier in EARLIER_DEFAULTS.items():
        if isinstance(found := values.get(section, {}), Mapping):
            former = FORMER_KEYS.get(section, ())
            kept = {name: value for name, value in found.items() if name not in former}
            values[section] = {**earlier, **kept}
    return values
