"""The files of a study directory: the contract between ``search`` and ``analysis``.

``search`` writes these files and ``analysis`` reads them; neither imports the other. The columns
of the tables are in :mod:`studies.columns`.
"""

from collections.abc import Mapping
from typing import Any

SCHEMA_VERSION = 1
"""Grows when a column or file changes its meaning. Written into study.yaml."""

STUDY_FILE = "study.yaml"
"""Holds schema_version, config (model, task, T, ...: a StudyConfig of ``search.config``),
chance_accuracy (accuracy of guessing in the task) and provenance (versions, git revision, host,
seed)."""

EARLIER_DEFAULTS: dict[str, dict[str, Any]] = {
    "training": {"batch_size": 64, "validation_payloads": 64, "rewind": False},
    "search": {"patience": None, "rank_by": "accuracy", "race_seeds": 0},
}
"""Values of a study whose study.yaml lacks the key; the defaults have changed since."""

FORMER_KEYS = {"search": ("prior",), "training": ("spike_norm",)}
"""Keys of sections that earlier versions wrote and this one ignores."""

EARLIER_FINAL: dict[str, Any] = {"stop_when_solved": False, "validation_payloads": 500}
"""Values of a study whose study.yaml lacks the whole section ``final``."""

TRIALS_FILE = "trials.csv"
PROGRESS_FILE = "progress.csv"
BEST_FILE = "best.csv"
CONFIRM_FILE = "confirm.csv"  # only with search.confirm_seeds
REACH_FILE = "reach.csv"  # only with search.reach
GENERALIZATION_FILE = "generalization.csv"  # only after python -m search.generalize
EVENTS_FILE = "events.jsonl"  # all that happened, in order: a search resumes from it
OPTUNA_FILE = "optuna.journal"  # Optuna's view of the same, with a study "T=..." for each T
LOG_FILE = "search.log"  # what Ray and its workers print
CHECKPOINTS_FOLDER = "checkpoints"  # T=.../: the best model
MLFLOW_FILE = "mlflow.db"  # trials as runs of MLflow, see search.loggers
TENSORBOARD_FOLDER = "tensorboard"  # TRIAL/: event files, see search.tensorboard
INBOX_FOLDER = "inbox"  # what users ask of a search while it runs; empty most of the time
RAY_FOLDER = "ray"  # T=.../TRIAL/: checkpoints of running trials and of the best so far

COMPLETED = "completed"  # solved T, or spent its whole token budget
STOPPED_EARLY = "stopped_early"  # stopped by the scheduler
FAILED = "failed"  # diverged or crashed; the column error says how
INTERRUPTED = "interrupted"  # still running, or cut off when the search at its T ended
STATUSES = (COMPLETED, STOPPED_EARLY, FAILED, INTERRUPTED)

SEARCH = "search"  # one of the trials that are compared
FINAL = "final"  # the best of them at its T, trained again for longer
RACE = "race"  # a candidate for the winner at its T, trained again with a fresh seed
CONFIRM = "confirm"  # the winner at its T, trained again with a fresh seed
STAGES = (SEARCH, RACE, FINAL, CONFIRM)

NEXT_T = "next_T"
"""What ended the search at a T in place of a limit: the user, by ``--next-T``."""

SOLVED_ACCURACY = 0.99
"""A training solves T when its validation accuracy at T is at least this at two evaluations in a
row, and together exceeds it by its sampling error."""

CHANCE_ACCURACY = 0.1
"""Accuracy of guessing one of ten symbols; that of a study whose study.yaml records none."""

LATER_COLUMNS = ("host", "gpus", "state_floats", "rank", "race_seeds", "race_solved")
"""Columns of trials.csv and best.csv that early versions did not write."""


def model_label(name: str) -> str:
    """The name of a model or task in reports, and in the name of its study.

    For one in a file, which a study holds as ``/folder/file.py:name``, it has no folder.
    """
    file, _, attribute = name.rpartition(":")
    return f"{file.rpartition('/')[2]}:{attribute}" if file.endswith(".py") else name


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


def recorded_chance(document: Mapping[str, Any], source: str) -> float:
    """The accuracy of guessing in the task of a study, in a study.yaml of any version.

    Args:
        document: the content of study.yaml.
        source: its name, for messages.

    Raises:
        ValueError: it is no accuracy.
    """
    chance = document.get("chance_accuracy", CHANCE_ACCURACY)
    if not isinstance(chance, int | float) or not 0 < chance <= 1:
        raise ValueError(
            f"{source}: chance_accuracy must be above 0 and at most 1, but is {chance!r}"
        )
    return float(chance)


def recorded_provenance(document: Mapping[str, Any]) -> dict[str, Any]:
    """Where and with what a study was made, in a study.yaml of any version; empty if unknown."""
    made = document.get("provenance")
    return made if isinstance(made, dict) else {}
