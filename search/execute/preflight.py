"""What a new study must hold before anything is searched; one that is resumed has begun already."""

import operator
import os
from collections.abc import Callable, Sequence
from functools import partial

import torch

from copytask import MODELS, TASKS, build_model, check_cell, find_task
from copytask.error_lines import error_line, message_line
from copytask.training.checkpoint import EARLIER_ARCHITECTURE
from search.config.space import TRAINING_FIELDS
from search.config.study_config import CHECKED_HIDDEN_SIZE, StudyConfig
from search.config.value_checks import check_between
from search.errors import UserError
from search.study.reach import doubled
from studies.reserved import RESERVED

FLOAT_BYTES = 4

DRAWN = 7
"""Sequences that a task must draw; with one, or with as many as there are steps, a mistaken
dimension may not show."""

SHORTEST = 1
"""The T at which curricula begin."""


def check_new(config: StudyConfig, overrides: Sequence[str]) -> None:
    """Whether the model can learn, and what the user has set has an effect on it.

    What an earlier version let begin may go on, so this is not checked again.

    Args:
        overrides: those of the user. A value in a file may serve several models.

    Raises:
        UserError: a user's own cell is broken, the model lacks what is set, a searched
            hyperparameter has the name of a column, nothing can be reached beyond the last T, the
            task draws no sequences of some T, or wrong ones, a size cannot be computed, or a range
            has values with which no training can be.
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
    check_names(config)
    check_reach(config)
    for check in (check_length, check_draws):
        for T in (*config.T, SHORTEST):
            check(config.task, T)
    try:
        check_between(config)
    except ValueError as error:
        raise UserError(str(error)) from None
    check_state(config)


def check_reach(config: StudyConfig) -> None:
    """Whether the search can go beyond its last T, if that is asked for.

    Raises:
        UserError: the limit is below the first T beyond the list.
    """
    beyond = doubled(max(config.T))
    if 0 < config.search.reach < beyond:
        raise UserError(
            f"search.reach: at least {beyond} is needed, twice the last T, but got "
            f"{config.search.reach}"
        )


def check_names(config: StudyConfig) -> None:
    """Whether each searched hyperparameter can have a column of its own in the tables.

    Raises:
        UserError: another column has its name.
    """
    for name in config.dimensions():
        if name in RESERVED:
            raise UserError(
                f"space.{name}: the tables have another column {name!r}; to search this "
                f"hyperparameter, rename the keyword of {config.model!r}"
            )


def check_length(task: str, T: int) -> None:
    """Whether a task says how long its sequences of this T are, and what is recalled.

    Raises:
        UserError: a size is less than 1, or cannot be computed.
    """
    asked = find_task(task)
    for name in ("length", "recalled"):
        failing = f"T: the task {task!r} fails in {name}(T={T})"
        if check_size(partial(getattr(asked, name), T), failing) < 1:
            raise UserError(f"{failing}: it must be at least 1; curricula begin at T={SHORTEST}")


def check_draws(task: str, T: int) -> None:
    """Whether a task draws what it must: twice the same with the same generator.

    Raises:
        UserError: it cannot draw sequences of this T, or they are not as :class:`copytask.Batch`
            has them, or depend on something else.
    """
    asked = find_task(task)
    where = "T" if task in TASKS else f"the task {task!r}"
    try:
        batch, again = (
            asked.sample_batch(torch.Generator().manual_seed(0), DRAWN, T) for _ in range(2)
        )
    except ValueError as error:
        raise UserError(f"{where}: {message_line(error)}") from None
    except Exception as error:  # the user's code may raise anything
        raise UserError(
            f"T: the task {task!r} cannot draw a sequence of T={T}: {error_line(error)}"
        ) from None
    for name, values, repeated, classes in (
        ("tokens", batch.tokens, again.tokens, asked.symbols),
        ("targets", batch.targets, again.targets, asked.outputs),
    ):
        if values.dtype != torch.int64:
            raise UserError(f"{where}: draw must return {name} of torch.int64, not {values.dtype}")
        low, high = int(values.min()), int(values.max())
        if low < 0 or high >= classes:
            raise UserError(
                f"{where}: draw must return {name} from 0 to {classes - 1}, but returned "
                f"{low if low < 0 else high} at T={T}"
            )
        if not values.equal(repeated):
            raise UserError(
                f"{where}: draw returns other {name} when it is called again with the same "
                "generator: draw all random numbers from it"
            )


def check_state(config: StudyConfig) -> None:
    """Whether a model says how many numbers it carries on, at every T.

    Raises:
        UserError: it cannot be computed.
    """
    task, width = find_task(config.task), min(config.possible_values("hidden_size"))
    architecture = config.architecture_with("hidden_size", width)
    model = build_model(config.model, width, task=task, **architecture).core
    for steps in map(task.length, config.T):
        failing = f"the model {config.model!r} fails in state_floats(steps={steps})"
        check_size(partial(model.state_floats, steps), failing)


def check_size(size: Callable[[], int], failing: str) -> int:
    """A size of a model or task, which must be a whole number.

    Raises:
        UserError: it is not, or cannot be computed.
    """
    try:
        return operator.index(size())
    except Exception as error:  # the user's code may raise anything
        raise UserError(f"{failing}: {error_line(error)}") from None


def check_memory(config: StudyConfig) -> None:
    """Whether a model that keeps all positions of a sequence can keep them at the largest T.

    What is counted is the least: what the smallest model of the space keeps, and its gradients.

    Raises:
        UserError: this machine has less memory than that.
    """
    T, batch = max(config.T), min(config.possible_values("batch_size"))
    length = find_task(config.task).length(T)
    need = 2 * FLOAT_BYTES * batch * least_kept(config, length)
    if need > memory_bytes():
        raise UserError(
            f"T = {T}: the model {config.model!r} does not stream: it keeps all {length:,} "
            f"positions of a sequence, at least {need / 1e9:.1f} GB for a batch of {batch}, "
            f"but this machine has {memory_bytes() / 1e9:.1f} GB; lower T or training.batch_size"
        )


def least_kept(config: StudyConfig, length: int) -> int:
    """Floats that a small model of the space keeps of a sequence; 0 if it streams.

    Each searched keyword of the architecture is varied alone, beside the first choices of the
    others: these models were built before, when the configuration was checked, and all combinations
    may be many.

    Raises:
        UserError: a model fails.
    """
    width, task = min(config.possible_values("hidden_size")), find_task(config.task)
    values = [("hidden_size", width)] + [
        (name, value) for name in config.space if name not in TRAINING_FIELDS
        for value in config.possible_values(name)
    ]  # fmt: skip
    kept = []
    for name, value in values:
        architecture = config.architecture_with(name, value)
        try:
            model = build_model(config.model, width, task=task, **architecture).core
            kept.append(0 if model.streams else model.state_floats(length))
        except Exception as error:  # the user's code may raise anything
            failing = f"the model {config.model!r} fails with {name}={value}"
            raise UserError(f"{failing}: {error_line(error)}") from None
    return min(kept)


def memory_bytes() -> int:
    """The memory of this machine."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
