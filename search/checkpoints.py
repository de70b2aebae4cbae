"""The checkpoints of one trial: written by its worker, taken up by the next one."""

import shutil
from pathlib import Path

from copytask import Metrics, Trainer

PREFIX = "checkpoint_"


def save_checkpoint(trainer: Trainer, folder: Path) -> None:
    """Keep the trainer's state, and of the earlier ones only that of the best evaluation.

    A worker that is killed here leaves a checkpoint that is whole, and at most one too many. A
    worker that was given up, but still runs, removes nothing of its successor, which is ahead.

    Raises:
        OSError: the storage is full, read-only or away.
    """
    latest = trainer.progress.iteration
    trainer.save(checkpoint_path(folder, latest))
    best = best_iteration(trainer.history)
    for iteration in saved_iterations(folder):
        if iteration < latest and iteration != best:
            shutil.rmtree(checkpoint_path(folder, iteration), ignore_errors=True)


def load_latest(folder: Path) -> Trainer | None:
    """The trainer of the latest checkpoint that can be read; None if there is none."""
    for iteration in reversed(saved_iterations(folder)):
        try:
            return Trainer.load(checkpoint_path(folder, iteration))
        except (FileNotFoundError, ValueError):  # cut off while it was written: take the one before
            continue
    return None


def best_iteration(history: list[Metrics]) -> int:
    """The iteration whose model is the best at T; of equal ones the latest."""
    return max(history, key=lambda m: (m.validation_accuracy, m.iteration)).iteration


def saved_iterations(folder: Path) -> list[int]:
    """The iterations of which there is a checkpoint, in ascending order."""
    return sorted(int(path.name.removeprefix(PREFIX)) for path in folder.glob(f"{PREFIX}*"))


def checkpoint_path(folder: Path, iteration: int) -> Path:
    """Where the checkpoint of an iteration is kept."""
    return folder / f"{PREFIX}{iteration:06}"
