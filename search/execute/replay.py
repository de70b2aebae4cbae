"""Trains one trial of a study again and compares it with what was recorded."""

import dataclasses
import sys
from functools import cached_property

import torch

from copytask import DivergedError, Metrics, Trainer, TrainingConfig, configure_process
from copytask.error_lines import error_line
from copytask.training.seeds import STREAMS
from search.config.study_config import StudyConfig
from search.errors import UserError
from search.storage.csv_tables import Row, read_rows
from search.study.event_log import read_events
from search.study.study_file import read_config
from studies import format as files
from studies.columns import PROGRESS
from studies.events import TrialRestarted, TrialStarted
from studies.paths import StudyPath
from studies.wording import all_counted

MACHINE_DEPENDENT = {"seconds"}
"""Columns of progress.csv that differ between two runs."""

VALIDATED = {
    "validation_accuracy", "ladder_accuracy", "exact_match", "validation_loss", "recalled_bits",
}  # fmt: skip
"""Columns of progress.csv that come from validation payloads."""


def replay(
    study: StudyPath, trial_id: str, model: str | None = None, task: str | None = None
) -> int:
    """Train a trial again from what its study recorded, without Ray, and print its curve.

    Stderr gets the first difference.

    Args:
        model, task: see :func:`search.study.study_file.read_config`.

    Returns:
        0 if every number is the recorded one, 1 if not. On another machine, or with another
        version of torch, the last digits differ, and so does what follows from them.
        A version that validated on other payloads has recorded other validations: of its trials
        only the training is compared.

    Raises:
        UserError: there is no such study or trial, or it needs a GPU that this machine lacks.
    """
    row, recorded = read_trial(study, trial_id)
    config = read_config(study, model, task)
    streams, validation_seed = recorded_start(study, trial_id)
    training = replayed_config(config, row, is_final(study, row))
    if validation_seed is not None:  # a training with a fresh seed has payloads of its own
        training = dataclasses.replace(training, validation_seed=validation_seed)
    other_streams = streams < STREAMS
    if reason := why_not_here(row, training, other_streams):
        raise UserError(f"--replay {study} {trial_id}: {reason}")
    ignored = MACHINE_DEPENDENT | (VALIDATED if other_streams else set())
    if other_streams:
        print(f"{trial_id}: an earlier version used other validation payloads: not compared")
    # As many threads as the trial had: sums split among more threads round differently.
    configure_process(threads=config.resources.threads_per_trial())
    repeated = Repeated(training)
    differences = []
    for expected in recorded:
        try:
            metrics = repeated.run_iteration()
        except Exception as error:  # the user's code may raise anything
            differences.append(f"iteration {expected['iteration']}: {as_recorded(error)}")
            break
        differing = [
            name
            for name in PROGRESS.names
            if name not in ignored
            and hasattr(metrics, name)
            and getattr(metrics, name) != expected[name]
        ]
        print(
            f"{trial_id} iteration {metrics.iteration:3}  {metrics.tokens / 1e6:6.2f} M tokens  "
            f"accuracy {metrics.validation_accuracy:.4f}  "
            f"{'differs: ' + ', '.join(differing) if differing else 'as recorded'}"
        )
        differences += [f"iteration {metrics.iteration}: {name}" for name in differing]
    if row["status"] == files.FAILED and not differences:
        differences += missing_failure(repeated, str(row["error"]))
    if differences:
        print(f"{trial_id} differs from its record, first in {differences[0]}", file=sys.stderr)
        return 1
    print(f"{trial_id}: {all_counted(len(recorded), 'iteration')} as recorded")
    return 0


class Repeated:
    """A training that is made in its first iteration, as in a trial: it may fail there."""

    def __init__(self, training: TrainingConfig):
        self._training = training

    @cached_property
    def _trainer(self) -> Trainer:
        return Trainer(self._training)

    def run_iteration(self) -> Metrics:
        """See :meth:`copytask.Trainer.run_iteration`."""
        return self._trainer.run_iteration()

    def run_to_the_end(self) -> None:
        """Run the iterations that are left, at least one."""
        self.run_iteration()
        for _ in self._trainer:
            pass


def missing_failure(repeated: Repeated, recorded: str) -> list[str]:
    """The difference, if any, to a record that says that the training then fails.

    It need not be in the next iteration: where results come in groups, those before it in its group
    were lost.
    """
    try:
        repeated.run_to_the_end()
    except Exception as error:  # the user's code may raise anything
        told = as_recorded(error)
        # An earlier version ended the line of an exception without a message so.
        return [] if told == recorded.removesuffix(": ") else [f"its error: {told}"]
    return [f"its error: {recorded}"]


def as_recorded(error: Exception) -> str:
    """An exception as the record of a trial has it: the type is left out if training diverged."""
    return str(error) if isinstance(error, DivergedError) else error_line(error)


def read_trial(study: StudyPath, trial_id: str) -> tuple[Row, list[Row]]:
    """A trial's row of trials.csv and its rows of progress.csv.

    Raises:
        UserError: there is no such study or trial.
    """
    try:
        trials = {str(row["trial_id"]): row for row in read_rows(study / files.TRIALS_FILE)}
        progress = read_rows(study / files.PROGRESS_FILE)
    except OSError as error:
        raise UserError(f"--replay {study}: {error.filename}: {error.strerror}") from None
    if trial_id not in trials:
        known = f"it has {', '.join(list(trials)[:3])}, ..." if trials else "it has no trials"
        raise UserError(f"--replay {study} {trial_id}: no such trial; {known}")
    return trials[trial_id], [row for row in progress if row["trial_id"] == trial_id]


def recorded_start(study: StudyPath, trial_id: str) -> tuple[int, int | None]:
    """The random streams (:data:`copytask.training.seeds.STREAMS`) of a trial, 1 if not recorded;
    and its validation seed, None if not recorded.

    Raises:
        UserError: the events of the study cannot be read.
    """
    try:
        events = list(read_events(study))
    except (OSError, ValueError) as error:
        raise UserError(f"--replay {study}: {error}") from None
    streams, validation_seed = 1, None
    for event in events:
        match event:
            case TrialStarted(trial_id=name, training=training) if name == trial_id:
                streams, validation_seed = event.streams, training.get("validation_seed")
            case TrialRestarted(trial_id=name) if name == trial_id:
                streams = event.streams
    return streams, validation_seed


def replayed_config(config: StudyConfig, row: Row, final: bool) -> TrainingConfig:
    """The training of a row of trials.csv, with what its study fixes for all trials.

    Its device is the one that the trial had, as far as that is recorded: studies made before there
    were clusters lack it.
    """
    searched = {name: row[name] for name in config.dimensions() if row[name] is not None}
    training = config.training_config(row["T"], searched, row["seed"])
    if final:
        training = config.final_training(training.to_dict())
    gpus = row.get("gpus")
    if training.device == "auto" and gpus is not None:
        training = dataclasses.replace(training, device="cuda" if gpus > 0 else "cpu")
    return training


def why_not_here(row: Row, training: TrainingConfig, other_streams: bool) -> str:
    """Why a trial cannot be repeated on this machine; empty if it can.

    Args:
        other_streams: whether a version trained it that drew other data.
    """
    if other_streams and row.get("gpus"):
        return (
            "an earlier version trained it on data that it drew on a GPU; this version draws "
            "other data"
        )
    if training.resolve_device().type == "cuda" and not torch.cuda.is_available():
        host = f" of {row['host']}" if row.get("host") else ""
        return (
            f"it was trained on a GPU{host}, and this machine has none; on a CPU its numbers "
            "would differ"
        )
    return ""


def is_final(study: StudyPath, row: Row) -> bool:
    """Whether a trial is a final training, or repeats one with another seed.

    Raises:
        UserError: confirm.csv does not tell.
    """
    if row.get("stage") != files.CONFIRM:
        return row.get("stage") == files.FINAL
    file = study / files.CONFIRM_FILE
    rows = read_rows(file) if file.exists() else []
    for confirmed in rows:
        if confirmed["trial_id"] == row["trial_id"]:
            return str(confirmed["confirms"]).endswith(f"-{files.FINAL}")
    raise UserError(f"--replay {study} {row['trial_id']}: the trial is not in {file.name} yet")
