"""The architectures by name, and models made of them."""

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

CORE_OPTIONS = ("forget_bias", "initialization", "implementation")
"""What a factory may take beside input_size and hidden_size."""


def find_factory(name: str) -> Callable[..., nn.Module]:
    """The core's factory: a key of ``MODELS``, or the user's own.

    Args:
        name: of one's own cell ``package.module:factory``, or ``path/file.py:factory``.

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
    """A fresh model, its weights drawn from torch's global generator.

    Args:
        model: the core's factory, or its name, see :func:`find_factory`.
        hidden_size: number of hidden units.
        options: some of ``CORE_OPTIONS``; each is handed to a factory that takes it.

    Raises:
        ValueError: the name is unknown or cannot be imported.
    """
    factory = find_factory(model) if isinstance(model, str) else model
    known = core_options(factory)
    core = factory(ALPHABET_SIZE, hidden_size, **{k: v for k, v in options.items() if k in known})
    return CopyModel(core, hidden_size)


def core_options(factory: Callable[..., nn.Module]) -> set[str]:
    """Which of ``CORE_OPTIONS`` a factory takes."""
    return set(inspect.signature(factory).parameters) & set(CORE_OPTIONS)
