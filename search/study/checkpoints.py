"""The checkpoints of one trial: its worker writes them, and the next worker resumes from them."""

import logging
from collections.abc import Mapping
from functools import partial

from copytask import Metrics, Trainer
from copytask.training.checkpoint import load_state
from search.storage.store import children, remove_tree, with_retries
from studies.paths import StudyPath

PREFIX = "checkpoint_"

log = logging.getLogger(__name__)


def save_checkpoint(trainer: Trainer, folder: StudyPath, known: int) -> None:
    """Save the trainer's state; of the earlier checkpoints, keep those of the best evaluation.

    We keep the best as of now, and the best that the search knows of: if its time at T is up now,
    it tests that one.

    A worker that is killed here leaves intact checkpoints, and at most one too many. A worker that
    was replaced but still runs removes no checkpoint of its successor, which is ahead.

    Args:
        known: iterations that the search knows.

    Raises:
        OSError: the storage is full, read-only, or does not answer.
    """
    latest = trainer.progress.iteration
    with_retries(lambda: trainer.save(checkpoint_path(folder, latest)), folder)
    kept = {best_iteration(trainer.history)}
    if known:
        kept.add(best_iteration(trainer.history[:known]))
    for iteration in saved_iterations(folder):
        if iteration < latest and iteration not in kept:
            remove_tree(checkpoint_path(folder, iteration))


def load_latest(
    folder: StudyPath,
    device: str | None = None,
    *,
    cell: str | None = None,
    task: str | None = None,
) -> Trainer | None:
    """Load the latest checkpoint that can be read; None if there is none.

    Args:
        folder: the checkpoints of the trial.
        device: see :meth:`copytask.Trainer.load`.
        cell: see :meth:`copytask.Trainer.load`.
        task: see :meth:`copytask.Trainer.load`.
    """
    for iteration in reversed(saved_iterations(folder)):
        path = checkpoint_path(folder, iteration)
        try:
            return with_retries(
                partial(Trainer.load, path, device, cell=cell, task=task),
                folder,
                reading=True,
            )
        except (FileNotFoundError, ValueError) as error:  # try the one before
            log.warning("skipping a checkpoint: %s", error)
    return None


def best_readable(folder: StudyPath, accuracies: Mapping[int, float]) -> StudyPath | None:
    """Find the readable checkpoint with the best evaluation; None if there is none.

    Args:
        folder: the checkpoints of the trial.
        accuracies: iteration -> validation accuracy at T.
    """
    iterations = sorted(saved_iterations(folder), key=lambda i: (accuracies.get(i, 0.0), i))
    paths = (checkpoint_path(folder, iteration) for iteration in reversed(iterations))
    return next(filter(is_readable, paths), None)


def is_readable(path: StudyPath) -> bool:
    """Whether there is an intact checkpoint at ``path``; if not, the log says why.

    Raises:
        OSError: the store does not answer.
    """
    try:
        with_retries(partial(load_state, path), path, reading=True)
    except (FileNotFoundError, ValueError) as error:
        log.warning("skipping a checkpoint: %s", error)
        return False
    return True


def best_iteration(history: list[Metrics]) -> int:
    """The iteration whose model is the best at T; the latest one of a tie."""
    return max(history, key=lambda m: (m.validation_accuracy, m.iteration)).iteration


def saved_iterations(folder: StudyPath) -> list[int]:
    """The iterations that have a checkpoint, in ascending order."""
    names = (path.name for path in children(folder))
    return sorted(int(name.removeprefix(PREFIX)) for name in names if name.startswith(PREFIX))


def checkpoint_path(folder: StudyPath, iteration: int) -> StudyPath:
    """The folder of an iteration's checkpoint."""
    return folder / f"{PREFIX}{iteration:06}"
