"""What a new study must hold before anything is searched; one that is resumed has begun already."""

import os
from collections.abc import Sequence

from copytask import MODELS, build_model, check_cell, find_task
from copytask.training.checkpoint import EARLIER_ARCHITECTURE
from search.config.study_config import CHECKED_HIDDEN_SIZE, StudyConfig
from search.errors import UserError

FLOAT_BYTES = 4


def check_can_learn(config: StudyConfig, overrides: Sequence[str]) -> None:
    """Whether the model can learn, and what the user has set has an effect on it.

    Args:
        overrides: those of the user. A value in a file may serve several models.

    Raises:
        UserError: a user's own cell is broken, or the model lacks what is set.
    """
    if config.model not in MODELS:
        try:
            check_cell(config.model, CHECKED_HIDDEN_SIZE)
        except ValueError as error:
            raise UserError(str(error)) from None
    set_by_user = {text.partition("=")[0].strip() for text in overrides}
    for name in EARLIER_ARCHITECTURE:
        if f"training.{name}" in set_by_user and name not in config.types:
            raise UserError(
                f"training.{name} has no effect: the model {config.model!r} does not take {name}"
            )


def check_memory(config: StudyConfig) -> None:
    """Whether a model that keeps all positions of a sequence can keep them at the largest T.

    What is counted is the least: what the smallest model of the space keeps, and its gradients.

    Raises:
        UserError: this machine has less memory than that.
    """
    T, batch = max(config.T), min(config.possible_values("batch_size"))
    width, task = min(config.possible_values("hidden_size")), find_task(config.task)
    model = build_model(config.model, width, task=task, **config.architecture).core
    length = task.length(T)
    need = 2 * FLOAT_BYTES * batch * model.state_floats(length)
    if not model.streams and need > memory_bytes():
        raise UserError(
            f"T = {T}: the model {config.model!r} does not stream: it keeps all {length:,} "
            f"positions of a sequence, at least {need / 1e9:.1f} GB for a batch of {batch}, "
            f"but this machine has {memory_bytes() / 1e9:.1f} GB; lower T or training.batch_size"
        )


def memory_bytes() -> int:
    """The memory of this machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
