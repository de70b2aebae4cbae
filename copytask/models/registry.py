"""The architectures by name, and how a model is built from one."""

import difflib
import inspect
from collections.abc import Callable

from torch import nn

from copytask.models.cells import import_cell
from copytask.models.gru import GRU
from copytask.models.lstm import LSTM
from copytask.models.mgru import MultiplicativeGRU
from copytask.models.mlstm import MultiplicativeLSTM
from copytask.models.model import CopyModel
from copytask.tasks import ALPHABET_SIZE

MODELS: dict[str, Callable[..., nn.Module]] = {
    "gru": GRU,
    "lstm": LSTM,
    "mgru": MultiplicativeGRU,
    "mlstm": MultiplicativeLSTM,
}
"""Name of each architecture -> the factory of its cells."""

CELL_OPTIONS = ("forget_bias", "initialization", "implementation")
"""Arguments that a factory may take in addition to input_size and hidden_size."""


def find_factory(name: str) -> Callable[..., nn.Module]:
    """Find the factory of an architecture's cells.

    Args:
        name: a key of ``MODELS``, or a user's own cell as ``path/file.py:factory`` or
            ``package.module:factory``, which is then imported.

    Raises:
        ValueError: the name is unknown, or the user's factory cannot be imported.
    """
    if name in MODELS:
        return MODELS[name]
    if name.endswith(".py"):
        raise ValueError(f"which cell of that file? Name its class or function: {name}:NAME")
    if ":" not in name:
        near = difflib.get_close_matches(name, MODELS, n=1)
        raise ValueError(
            f"unknown model {name!r}; "
            + (f"did you mean {near[0]!r}? " if near else "")
            + f"Choose from {', '.join(MODELS)}, or name your own cell as path/file.py:factory "
            "or package.module:factory"
        )
    return import_cell(name)


def build_model(
    model: str | Callable[..., nn.Module], hidden_size: int, **options: object
) -> CopyModel:
    """Build a model; its weights are drawn from torch's global generator.

    Args:
        model: the factory of the cell, or a name: a key of ``copytask.MODELS``,
            ``path/file.py:factory`` or ``package.module:factory``.
        hidden_size: number of hidden units.
        options: ``forget_bias``, ``initialization`` and ``implementation``; each is passed on if
            the factory takes it, and ignored otherwise.

    Returns:
        The model, on the CPU, in training mode.

    Raises:
        ValueError: the name is unknown or cannot be imported.
    """
    factory = find_factory(model) if isinstance(model, str) else model
    known = cell_options(factory)
    cell = factory(ALPHABET_SIZE, hidden_size, **{k: v for k, v in options.items() if k in known})
    return CopyModel(cell, hidden_size)


def cell_options(factory: Callable[..., nn.Module]) -> set[str]:
    """Which of ``CELL_OPTIONS`` a factory takes."""
    return set(inspect.signature(factory).parameters) & set(CELL_OPTIONS)
