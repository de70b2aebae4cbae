"""The architectures by name, and how a model is built from one."""

import difflib
import inspect
from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

from torch import nn

from copytask.models.exprnn import ExpRNN
from copytask.models.goru import GORU
from copytask.models.gru import GRU
from copytask.models.linear_attention import LinearAttention
from copytask.models.lru import LRU
from copytask.models.lstm import LSTM
from copytask.models.mgru import MultiplicativeGRU
from copytask.models.mingru import MinGRU, MinLSTM
from copytask.models.mlstm import MultiplicativeLSTM
from copytask.models.model import CellAdapter, CopyModel, SequenceModel
from copytask.models.stack import check_least
from copytask.models.transformer import Transformer
from copytask.tasks import Task, find_task
from copytask.user_code import import_object

Factory = Callable[..., nn.Module]

MODELS: dict[str, Factory] = {
    "exprnn": ExpRNN,
    "goru": GORU,
    "gru": GRU,
    "linear_attention": LinearAttention,
    "lru": LRU,
    "lstm": LSTM,
    "mgru": MultiplicativeGRU,
    "mingru": MinGRU,
    "minlstm": MinLSTM,
    "mlstm": MultiplicativeLSTM,
    "transformer": Transformer,
}
"""Name of each architecture -> its factory."""


def find_factory(name: str) -> Factory:
    """Find the factory of an architecture.

    Args:
        name: a key of ``MODELS``, or a user's own as ``path/file.py:factory`` or
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
            f"unknown model {name!r}"
            + (f"; did you mean {near[0]!r}? " if near else ". ")
            + f"Choose from {', '.join(MODELS)}, or name your own cell as path/file.py:factory "
            "or package.module:factory"
        )
    factory = import_object(name, "cell")
    if not callable(factory):
        raise ValueError(
            f"the cell {name!r} is a {type(factory).__name__}; it must be a class or a function "
            "that makes the cell"
        )
    found: Factory = factory
    return found


def architecture_keywords(factory: Factory) -> dict[str, inspect.Parameter]:
    """The hyperparameters of an architecture: its factory's keywords beyond the hidden size.

    If none is called ``hidden_size``, the second parameter is the hidden size.
    """
    parameters = list(inspect.signature(factory).parameters.values())
    first = 1 if any(p.name == "hidden_size" for p in parameters) else 2
    named = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return {
        p.name: p for p in parameters[first:]
        if p.kind in named and p.name != "hidden_size" and p.default is not inspect.Parameter.empty
    }  # fmt: skip


def keyword_types(model: str) -> dict[str, Any]:
    """The type of each hyperparameter of an architecture: its annotation, else that of its default.

    Raises:
        ValueError: the architecture is unknown.
    """
    factory = find_factory(model)
    try:
        hints = get_type_hints(factory.__init__ if inspect.isclass(factory) else factory)
    except Exception:  # the user's annotations may name what is not there
        hints = {}
    return {
        name: hints.get(name, type(parameter.default))
        for name, parameter in architecture_keywords(factory).items()
    }


def check_architecture(model: str, architecture: Mapping[str, Any]) -> None:
    """Check that an architecture has these hyperparameters.

    Raises:
        ValueError: it lacks one; the message names the nearest one that it has.
    """
    known = architecture_keywords(find_factory(model))
    for name in architecture:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(known) or 'none'}"
            raise ValueError(f"the model {model!r} has no hyperparameter {name!r}; {hint}")


def build_model(
    model: str | Factory, hidden_size: int, *, task: str | Task = "delay", **architecture: Any
) -> CopyModel:
    """Build a model; its weights are drawn from torch's global generator.

    Args:
        model: the factory of the architecture, or a name: a key of ``copytask.MODELS``,
            ``path/file.py:factory`` or ``package.module:factory``.
        hidden_size: number of hidden units, or width of a stack of blocks.
        task: what it is for: its symbols and outputs.
        architecture: hyperparameters of the architecture, keywords of its factory.

    Returns:
        The model, on the CPU, in training mode.

    Raises:
        ValueError: a name is unknown or cannot be imported, or a value is out of range.
        TypeError: the factory has no such keyword.
    """
    factory = find_factory(model) if isinstance(model, str) else model
    check_least("hidden_size", hidden_size, 1)
    asked = find_task(task) if isinstance(task, str) else task
    if "hidden_size" in inspect.signature(factory).parameters:
        made = factory(asked.symbols, hidden_size=hidden_size, **architecture)
    else:
        made = factory(asked.symbols, hidden_size, **architecture)
    if not isinstance(made, SequenceModel):
        made = CellAdapter(made, asked.symbols, hidden_size)
    return CopyModel(made, asked.outputs)
