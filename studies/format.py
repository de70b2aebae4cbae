"""The files of a study directory: the contract between ``search`` and ``analysis``.

``search`` writes these files and ``analysis`` reads them; neither imports the other. Units
stand in the comments. An empty cell means that there is no such value.
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

TRIALS_COLUMNS = (
    "model",  # lstm, gru, mlstm, mgru or package.module:factory
    "task",  # delay or sequence
    "T",  # length that the trial is to master
    "trial_id",  # unique in the study
    "status",  # one of STATUSES
    "learning_rate",
    "hidden_size",  # units
    "curriculum_length",  # optimizer steps
    "seed",  # of the trial's weights and training data
    "parameters",  # trained parameters of the model
    "tokens",  # batch x length of every training step
    "seconds",  # wall time of the training iterations, evaluation included
    "validation_accuracy",  # at T, best evaluation: share of payload symbols recalled
    "ladder_accuracy",  # of the same evaluation: mean over the lengths 1, 4, 16, ..., T
    "tokens_to_solve",  # tokens at the first of two evaluations in a row >= 0.99
    "seconds_to_solve",  # s, the same
    "error",  # why a failed trial failed
    "stage",  # one of STAGES; a study made before there was a choice has no such column: search
    "host",  # where it was trained last
    "gpus",  # share of a GPU that it held there; 0: trained on a CPU
)
"""trials.csv: one row a trial, in the order in which they started. Hyperparameters that are
searched beyond the three above follow as columns of their own."""

PROGRESS_COLUMNS = (
    "model",
    "task",
    "T",
    "trial_id",
    "iteration",
    "step",  # optimizer steps so far
    "tokens",
    "seconds",
    "learning_rate",  # at the end of the iteration
    "max_length",  # largest training length that the curriculum allows
    "training_loss",  # nats per symbol
    "validation_accuracy",
    "ladder_accuracy",
    "exact_match",  # share of whole payloads recalled
    "validation_loss",  # nats per symbol
    "recalled_bits",  # of one payload
)
"""progress.csv: one row an evaluation of a trial."""

BEST_COLUMNS = (
    *TRIALS_COLUMNS,
    "accuracy",  # at T on test payloads, which chose nothing
    "accuracy_low",  # 95 % interval over test payloads
    "accuracy_high",
    "exact_match",  # on the test payloads, as the next
    "recalled_bits",
    "trials",  # trials of the search started at this T
    "checkpoint",  # of the best trial, relative to the study directory
)
"""best.csv: one row a T: of the final training if it solved T, else of the trial of the search
with the best validation accuracy at T."""

CONFIRM_COLUMNS = (
    "model",
    "task",
    "T",
    "seed",  # of weights and training data; that of no trial of the search
    "trial_id",
    "confirms",  # trial_id of the winner whose training this repeats
    "status",  # one of STATUSES; a failed seed has not solved T
    "learning_rate",
    "hidden_size",  # units
    "curriculum_length",  # optimizer steps
    "parameters",
    "tokens",
    "seconds",
    "validation_accuracy",  # at T, best evaluation
    "tokens_to_solve",  # as in trials.csv, as the next
    "seconds_to_solve",
    "accuracy",  # at T on test payloads of this seed alone; empty if it failed before an evaluation
    "accuracy_low",  # 95 % interval over those payloads
    "accuracy_high",
    "exact_match",  # on them, as the next
    "recalled_bits",
    "error",
)
"""confirm.csv: one row a (T, seed) that was trained and tested, and one for each that failed.
Hyperparameters beyond the three follow as in trials.csv."""

GENERALIZATION_COLUMNS = (
    "model",
    "task",
    "T",  # for which the model was trained
    "trial_id",  # of the best trial at T when it was tested
    "test_T",  # at which it was tested, without any training
    "accuracy",  # as in best.csv, as the next four
    "accuracy_low",
    "accuracy_high",
    "exact_match",
    "recalled_bits",
    "payloads",  # on which it was tested
    "seed",  # of those payloads: equal task, test_T and seed are equal payloads
)
"""generalization.csv: one row a (T, test_T). The one file that ``analysis`` writes here."""


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
