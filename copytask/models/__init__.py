"""The architectures. A new one is one file and one line in ``MODELS``."""

import difflib
import importlib
import inspect
from collections.abc import Callable
from typing import cast

import torch
from torch import nn

from copytask.models.core import RecurrentCore, implementations
from copytask.models.gru import GRU
from copytask.models.lstm import LSTM
from copytask.models.mgru import MultiplicativeGRU
from copytask.models.mlstm import MultiplicativeLSTM
from copytask.models.model import CopyModel
from copytask.models.multiplicative import INITIALIZATIONS
from copytask.tasks import ALPHABET_SIZE

MODELS: dict[str, Callable[..., nn.Module]] = {
    "gru": GRU,
    "lstm": LSTM,
    "mgru": MultiplicativeGRU,
    "mlstm": MultiplicativeLSTM,
}

__all__ = [
    "INITIALIZATIONS",
    "MODELS",
    "CopyModel",
    "RecurrentCore",
    "build_model",
    "check_cell",
    "find_factory",
    "implementations",
]


def find_factory(name: str) -> Callable[..., nn.Module]:
    """The core's factory: a key of ``MODELS``, or the user's own as ``package.module:factory``.

    Raises:
        ValueError: the name is unknown, or the user's factory cannot be imported.
    """
    if name in MODELS:
        return MODELS[name]
    if ":" not in name:
        near = difflib.get_close_matches(name, MODELS, n=1)
        raise ValueError(
            f"unknown model {name!r}; "
            + (f"did you mean {near[0]!r}? " if near else "")
            + f"Choose from {', '.join(MODELS)}, or name your own cell as package.module:factory"
        )
    module_name, _, attribute = name.partition(":")
    try:
        factory = getattr(importlib.import_module(module_name), attribute)
    except Exception as error:  # the user's module may raise anything while it is imported
        raise ValueError(
            f"the cell {name!r} cannot be imported: {type(error).__name__}: {error}"
        ) from error
    if not callable(factory):
        raise ValueError(f"the cell {name!r} is no factory: it cannot be called")
    return cast("Callable[..., nn.Module]", factory)


def build_model(
    model: str | Callable[..., nn.Module], hidden_size: int, **options: object
) -> CopyModel:
    """A fresh model, its weights drawn from torch's global generator.

    Args:
        model: the core's factory, or its name, see :func:`find_factory`.
        hidden_size: number of hidden units.
        options: ``forget_bias``, ``initialization`` and ``implementation``; each is handed to
            a factory that has such a parameter.

    Raises:
        ValueError: the name is unknown or cannot be imported.
    """
    factory = find_factory(model) if isinstance(model, str) else model
    known = inspect.signature(factory).parameters
    core = factory(ALPHABET_SIZE, hidden_size, **{k: v for k, v in options.items() if k in known})
    return CopyModel(core, hidden_size)


def check_cell(name: str, hidden_size: int) -> None:
    """Check that the core ``name`` has the interface of torch.nn.GRU.

    Raises:
        ValueError: it has not; the message says what was found instead.
    """
    find_factory(name)
    L, B = 3, 2
    try:
        model = build_model(name, hidden_size)
        result = model.core(torch.zeros(L, B, ALPHABET_SIZE))
    except Exception as error:  # the user's code may raise anything
        raise ValueError(
            f"the cell {name!r} failed as factory(input_size={ALPHABET_SIZE}, "
            f"hidden_size={hidden_size}) on an input of shape ({L}, {B}, {ALPHABET_SIZE}): "
            f"{type(error).__name__}: {error}"
        ) from error
    if not isinstance(result, tuple) or len(result) != 2 or not torch.is_tensor(result[0]):
        raise ValueError(
            f"the cell {name!r} must return (outputs, state) as torch.nn.GRU does, "
            f"but returned {type(result).__name__}"
        )
    expected, shape = (L, B, hidden_size), tuple(result[0].shape)
    if shape != expected:
        raise ValueError(
            f"the cell {name!r} must return outputs of shape {expected} (length, batch, "
            f"hidden_size), but returned {shape}"
        )
