"""The architectures. A new one is one file and one line in ``MODELS``, in registry.py.

A *model* is the whole network, :class:`CopyModel`: one-hot tokens -> cell -> linear readout. Its
*cell* is the recurrent layer that the architectures differ in, a module with the interface of
torch.nn.GRU. A *factory* makes a cell: a class or function called with ``(input_size,
hidden_size)`` and those of ``CELL_OPTIONS`` that it takes. The name of an architecture is a key of
``MODELS``, or says where a user's own factory is: ``path/file.py:factory`` or
``package.module:factory``.
"""

from copytask.models.cell_checks import check_cell, check_interface
from copytask.models.cells import absolute_cell, is_same_cell
from copytask.models.mgru import MultiplicativeGRU
from copytask.models.mlstm import MultiplicativeLSTM
from copytask.models.model import CopyModel
from copytask.models.multiplicative import INITIALIZATIONS
from copytask.models.recurrent import RecurrentCell, implementations
from copytask.models.registry import (
    CELL_OPTIONS,
    MODELS,
    build_model,
    cell_options,
    find_factory,
)

__all__ = [
    "CELL_OPTIONS",
    "INITIALIZATIONS",
    "MODELS",
    "CopyModel",
    "MultiplicativeGRU",
    "MultiplicativeLSTM",
    "RecurrentCell",
    "absolute_cell",
    "build_model",
    "cell_options",
    "check_cell",
    "check_interface",
    "find_factory",
    "implementations",
    "is_same_cell",
]
