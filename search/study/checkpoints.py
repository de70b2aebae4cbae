"""The checkpoints of one trial: written by its worker, taken up by the next one."""

import logging
from collections.abc import Mapping
from functools import partial

from copytask import Metrics, Trainer
from copytask.training.checkpoint import load_state
from search.storage.store import children, remove_tree, with_retries
from studies.paths import StudyPath

PREFIX = "checkpoint_"

log = logging.getLogger(__name__)


def save_checkpoint(trainer: Trainer, folder: StudyPath) -> None:
    """Keep the trainer's state, and of the earlier ones those of the best evaluation.

    The best as of now, and as of the iteration before, which may be the last one that the search
    knows of: when its time at a T is over, that is the one it tests while the worker is here.

    A worker that is killed here leaves a checkpoint that is whole, and at most one too many. A
    worker that was given up, but still runs, removes nothing of its successor, which is ahead.

    Raises:
        OSError: the storage is full, read-only or away.
    """
    latest = trainer.progress.iteration
    with_retries(lambda: trainer.save(checkpoint_path(folder, latest)), folder)
    known = trainer.history[:-1] or trainer.history
    kept = {best_iteration(trainer.history), best_iteration(known)}
    for iteration in saved_iterations(folder):
        if iteration < latest and iteration not in kept:
            remove_tree(checkpoint_path(folder, iteration))


def load_latest(
    folder: StudyPath, device: str | None = None, cell: str | None = None
) -> Trainer | None:
    """The trainer of the latest checkpoint that can be read; None if there is none.

    Args:
        device, cell: as of :meth:`copytask.Trainer.load`.
    """
    for iteration in reversed(saved_iterations(folder)):
        path = checkpoint_path(folder, iteration)
        try:
            return with_retries(
                partial(Trainer.load, path, device, cell=cell), folder, reading=True
            )
        except (FileNotFoundError, ValueError) as error:  # take the one before
            log.warning("skipping a checkpoint: %s", error)
    return None


def best_readable(folder: StudyPath, accuracies: Mapping[int, float]) -> StudyPath | None:
    """The checkpoint of the best evaluation of those that can be read; None if there is none.

    Args:
        accuracies: at T, by iteration.
    """
    iterations = sorted(saved_iterations(folder), key=lambda i: (accuracies.get(i, 0.0), i))
    paths = (checkpoint_path(folder, iteration) for iteration in reversed(iterations))
    return next(filter(is_readable, paths), None)


def is_readable(path: StudyPath) -> bool:
    """Whether there is a whole checkpoint at ``path``; if not, the log says why.

    Raises:
        OSError: the store is away.
    """
    try:
        with_retries(partial(load_state, path), path, reading=True)
    except (FileNotFoundError, ValueError) as error:
        log.warning("skipping a checkpoint: %s", error)
        return False
    return True


def best_iteration(history: list[Metrics]) -> int:
    """The iteration whose model is the best at T; of equal ones the latest."""
    return max(history, key=lambda m: (m.validation_accuracy, m.iteration)).iteration


def saved_iterations(folder: StudyPath) -> list[int]:
    """The iterations of which there is a checkpoint, in ascending order."""
    names = (path.name for path in children(folder))
    return sorted(int(name.removeprefix(PREFIX)) for name in names if name.startswith(PREFIX))


def checkpoint_path(folder: StudyPath, iteration: int) -> StudyPath:
    """Where the checkpoint of an iteration is kept."""
    return folder / f"{PREFIX}{iteration:06}"
